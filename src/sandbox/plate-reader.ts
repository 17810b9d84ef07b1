import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { authenticate, checkAllowance, checkRate } from './admission.ts'
import { readLookupRequest, renderAnswer } from './answer.ts'
import { breakConnection, faultyAnswer, isBilled, jsonAnswer } from './fault.ts'
import { type LookupForm, parseLookupForm } from './lookup-form.ts'
import type { SandboxFlavor, SandboxSwitches } from './options.ts'
import { noteArrival, noteBill, noteImage, type OpenLookup, type SandboxRecord } from './record.ts'
import { fieldRefusal, Refusal } from './refusal.ts'
import { readBody } from './request-body.ts'
import { sendAnswer, sendRefusal } from './send.ts'
import { flavorOf, type Session, usageOf } from './session.ts'

/**
 * One POST to `/v1/plate-reader/`. The body is read before anything is refused, as a proxy in front
 * of the API does, so that the record knows which image was refused; the order of refusals is DRF's:
 * authentication, permission, throttle, body.
 */
export async function answerLookup(
  request: IncomingMessage,
  response: ServerResponse,
  session: Session,
): Promise<void> {
  const { record, switches } = session
  const lookup = noteArrival(record, request.headers.authorization)
  if (switches.resetBeforeBody?.(lookup) === true) {
    request.socket.resetAndDestroy()
    return
  }
  try {
    const body = await readBody(request, uploadLimit(switches))
    const form = readForm(body, request.headers['content-type'] ?? '')
    if (!(form instanceof Refusal)) noteForm(record, lookup, form)

    authenticate(session, lookup.authorization)
    checkAllowance(session)
    checkRate(session)
    if (form instanceof Refusal) throw form
    if (form.image === undefined) noteImageOf(record, lookup, await download(session, form))

    await answerForm(form, response, session, lookup)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (sendRefusal(response, error)) lookup.status = error.status
  }
}

/** Everything after admission: from here on the lookup is billed, unless a fault says otherwise. */
async function answerForm(
  form: LookupForm,
  response: ServerResponse,
  session: Session,
  lookup: OpenLookup,
): Promise<void> {
  const { record, switches } = session
  const flavor = flavorOf(session)
  const request = readLookupRequest(form)
  const fault = switches.fault?.(lookup)
  // Billed before it is answered: a client that gives up while waiting has paid.
  if (isBilled(fault)) noteBill(record, lookup)
  const usage = usageOf(session)
  await pause(switches.latencyMs)

  const elapsedMs = performance.now() - lookup.atMs
  const sample = switches.answers?.[lookup.sha256]
  const body = renderAnswer(flavor, request, sample, usage, elapsedMs)
  const good = jsonAnswer(SUCCESS[flavor], body)
  const answer = faultyAnswer(fault, good)
  if (answer !== undefined) {
    if (sendAnswer(response, answer)) lookup.status = answer.status
  } else if (fault !== undefined) {
    breakConnection(response, fault, good)
  }
}

/** Clients must accept any 2xx: the two servers differ. */
const SUCCESS: Record<SandboxFlavor, number> = { cloud: 201, sdk: 200 }

const CLOUD_LIMIT_BYTES = 3_000_000

function uploadLimit({ flavor, uploadLimitBytes }: SandboxSwitches): number | undefined {
  return uploadLimitBytes ?? (flavor === 'sdk' ? undefined : CLOUD_LIMIT_BYTES)
}

/**
 * A refusal of the body is returned, not thrown: it waits until the client is known and admitted.
 * Too long is sample 44, with the status that other clients logged for images of that size.
 */
function readForm(body: Buffer | undefined, contentType: string): LookupForm | Refusal {
  if (body === undefined) {
    const error = 'Invalid file. See https://app.platerecognizer.com/upload-limit/'
    return new Refusal(413, { error })
  }
  try {
    return parseLookupForm(body, contentType)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function noteForm(record: SandboxRecord, lookup: OpenLookup, form: LookupForm): void {
  lookup.fields = form.fields
  lookup.filename = form.filename
  if (form.image !== undefined) noteImageOf(record, lookup, form.image)
}

function noteImageOf(record: SandboxRecord, lookup: OpenLookup, image: Uint8Array): void {
  noteImage(record, lookup, { sha256: hash('sha256', image), bytes: image.length })
}

/** The image behind `upload_url`, which only the cloud is documented to take. */
async function download(session: Session, { fields }: LookupForm): Promise<Uint8Array> {
  const url = fields['upload_url']?.at(-1) ?? ''
  if (url === '' || flavorOf(session) === 'sdk') {
    const sentence = 'Upload or upload_url field cannot be empty.'
    throw new Refusal(400, { non_field_errors: [sentence] })
  }
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
    await response.body?.cancel()
  } catch {
    // The same refusal as for an answer that is not an image: the API tells no more either.
  }
  throw fieldRefusal('upload_url', 'The image could not be downloaded.')
}

async function pause(latencyMs: SandboxSwitches['latencyMs'] = 0): Promise<void> {
  const [min, max] = typeof latencyMs === 'number' ? [latencyMs, latencyMs] : latencyMs
  const ms = min + Math.random() * (max - min)
  // Not a reason to keep the process alive: the open connection is, until `close`.
  if (ms > 0) await delay(ms, undefined, { ref: false })
}
