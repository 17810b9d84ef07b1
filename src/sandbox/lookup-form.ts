import { type FormPart, parseMultipart } from './multipart.ts'
import { fieldRefusal, Refusal, refusalWithDetail } from './refusal.ts'

/** What a client sent in a lookup, whatever the encoding it chose. */
export interface LookupForm {
  /** Every text field but `upload`, each value it was sent with, in order. */
  fields: Record<string, string[]>
  image: Uint8Array | undefined
  /** Of the file part; base64 text has none. */
  filename: string | undefined
}

/**
 * Reads multipart, urlencoded and JSON bodies, which the cloud is all known to take, with `upload`
 * as a file part or as base64 text. Throws a `Refusal`: 415 for other types, 400 for a body that is
 * not what its type says.
 */
export function parseLookupForm(body: Buffer, contentType: string): LookupForm {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  switch (type) {
    case 'application/json':
      return parseJson(body)
    case 'application/x-www-form-urlencoded':
      return parseUrlencoded(body)
    case 'multipart/form-data':
      return parseFormData(body, contentType)
    default:
      throw refusalWithDetail(415, `Unsupported media type "${contentType}" in request.`)
  }
}

function emptyForm(): LookupForm {
  return { fields: {}, image: undefined, filename: undefined }
}

function parseFormData(body: Buffer, contentType: string): LookupForm {
  const form = emptyForm()
  // A client whose form library was not streamed sends the header and no body; the API then misses
  // the upload (sample 43) and does not complain of the form.
  if (body.length === 0) return form

  for (const { name, filename, content } of parseParts(body, contentType)) {
    if (filename === undefined) {
      addText(form, name, content.toString('utf8'))
    } else if (name === 'upload') {
      form.image = content
      form.filename = filename
      if (content.length === 0) throw fieldRefusal('upload', 'The submitted file is empty.')
    }
  }
  return form
}

function parseParts(body: Buffer, contentType: string): FormPart[] {
  try {
    return parseMultipart(body, contentType)
  } catch (error) {
    throw refusalWithDetail(400, `Multipart form parse error - ${String(error)}`)
  }
}

function parseUrlencoded(body: Buffer): LookupForm {
  const form = emptyForm()
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) addText(form, name, value)
  return form
}

function parseJson(body: Buffer): LookupForm {
  const form = emptyForm()
  for (const [name, value] of Object.entries(parseObject(body))) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === null) continue
      addText(form, name, typeof item === 'object' ? JSON.stringify(item) : String(item))
    }
  }
  return form
}

function parseObject(body: Buffer): object {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw refusalWithDetail(400, `JSON parse error - ${String(error)}`)
  }
  throw new Refusal(400, { non_field_errors: ['Invalid data. Expected a dictionary.'] })
}

function addText(form: LookupForm, name: string, value: string): void {
  if (name !== 'upload') {
    form.fields[name] = [...(form.fields[name] ?? []), value]
  } else if (value !== '') {
    form.image = decodeBase64(value)
  }
}

function decodeBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) {
    throw fieldRefusal('upload', 'The submitted data was not a file or base64 text.')
  }
  return Buffer.from(text, 'base64')
}
