import { existsSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { messageOf } from './errors.ts'
import { isHost } from './reach.ts'
import type { Root } from './read-file.ts'
import { mend } from './storable.ts'

/** Numbers come as text from the command line and as numbers from the library; a blank is no number. */
function number(unit: string, check: (schema: z.ZodNumber) => z.ZodNumber) {
  return z
    .union([z.number(), z.string().trim().min(1).transform(Number)], { error: `must be ${unit}.` })
    .pipe(check(z.number({ error: `must be ${unit}.` })))
}

/** A whole number of at least, and perhaps at most, so many. */
export function whole(least: number, most?: number) {
  const range = most === undefined ? `, ${least} or more` : ` from ${least} to ${most}`
  const wanted = `a whole number${range}`
  const error = `must be ${wanted}.`
  return number(wanted, (schema) =>
    schema
      .int(error)
      .min(least, error)
      .max(most ?? Number.MAX_SAFE_INTEGER, error),
  )
}

/** Node's timers hold no more than 24 days. */
const LONGEST_S = 2_000_000

/** A number of seconds. */
export function seconds(least: number) {
  const wanted = `a number of seconds, ${least} or more`
  return number(wanted, (schema) =>
    schema.min(least, `must be ${wanted}.`).max(LONGEST_S, `must be at most ${LONGEST_S} seconds.`),
  )
}

/** A score: 0 to 1. */
export const confidence = number('a number from 0 to 1', (schema) =>
  schema.min(0, 'must be from 0 to 1.').max(1, 'must be from 0 to 1.'),
)

const NOT_STORABLE =
  'must hold nothing that a database cannot keep: no NUL, no half of a character, no number such as 1e308, no more than 100 levels.'

/** What the ledger is to keep of a question must be what was asked. */
const isStorable = (value: unknown) => mend(value).mended.length === 0

/** Codes, repeated or with commas between, each once. */
export const codes = z
  .array(z.string())
  .refine(isStorable, NOT_STORABLE)
  .transform((texts) => texts.flatMap((text) => text.split(',')).map((text) => text.trim()))
  .transform((texts) => [...new Set(texts.filter((text) => text !== ''))])

/** Codes of regions, in lower case. */
export const regions = codes.transform((texts) => [
  ...new Set(texts.map((text) => text.toLowerCase())),
])

/** Hosts whose addresses need not be public: names, addresses, CIDR ranges. */
export const hosts = codes.transform((texts, context) => {
  const wrong = texts.filter((text) => !isHost(text))
  if (wrong.length > 0) {
    const said = 'must be names, addresses or CIDR ranges, without a port, such as cams.local,'
    context.addIssue(`${said} 192.168.1.20 or 10.0.0.0/8: ${wrong.join(', ')}`)
  }
  return texts
})

/** Some of these words, repeated or with commas between, in the order given, each once. */
export function listOf<const Word extends string>(words: readonly Word[]) {
  const error = `must be of ${words.join(', ')}; of several, the first that tells counts.`
  return z
    .union([z.string(), z.array(z.string())], { error })
    .transform((given) => [given].flat().flatMap((text) => text.split(',')))
    .transform((texts) => [...new Set(texts.map((text) => text.trim().toLowerCase()))])
    .pipe(z.array(z.enum(words, { error })).min(1, error))
}

/** A regular expression (as JavaScript writes them). */
export const expression = z.string().transform((text, context): RegExp => {
  try {
    return new RegExp(text, 'u')
  } catch (thrown) {
    context.addIssue(`must be a regular expression: ${messageOf(thrown)}`)
    return z.NEVER
  }
})

/** A folder that is there. */
export const folder = z.string().transform((path, context): Root => {
  const real = existsSync(path) ? realpathSync(path) : undefined
  if (real !== undefined && statSync(real).isDirectory()) return { given: resolve(path), real }
  context.addIssue(`must be a folder that is there: ${path}`)
  return z.NEVER
})

/** An object, as such or as JSON text. @param example as a user would write one */
export function jsonObject(example: string) {
  return z
    .union([z.record(z.string(), z.unknown()), z.string()])
    .transform((value, context): Readonly<Record<string, unknown>> => {
      if (typeof value !== 'string') return value
      try {
        return z.record(z.string(), z.unknown()).parse(JSON.parse(value))
      } catch {
        context.addIssue(`must be a JSON object, such as '${example}'.`)
        return z.NEVER
      }
    })
    .refine(isStorable, NOT_STORABLE)
}

/** A plate, perhaps with wildcards: blanks, dashes and dots alone would be any plate that was not read. */
export const plateText = z
  .string()
  .regex(/[^ .-]/, 'must hold a letter, a digit or a wildcard (* or ?).')

/** A text that says something. */
export const filled = z.string().min(1, 'must not be empty.').refine(isStorable, NOT_STORABLE)

/** What an image is named by: the id of one of its rows, or its SHA-256. Both in lower case. */
export type ImageName = { id: string } | { sha256: string }

const SHA256 = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Names of images. */
export const imageNames = z.array(z.string()).transform((texts, context) => {
  const names = texts.map(nameOfImage)
  const wrong = texts.filter((_, n) => names[n] === undefined)
  if (wrong.length > 0) {
    context.addIssue(`must be ids of rows or SHA-256s (64 digits): ${wrong.join(', ')}`)
  }
  return names.flatMap((name) => name ?? [])
})

/** The name of one image. */
export const imageName = z.string().transform((text, context) => {
  const name = nameOfImage(text)
  if (name !== undefined) return name
  context.addIssue(`must be the id of a row or a SHA-256 (64 digits): ${text}`)
  return z.NEVER
})

function nameOfImage(given: string): ImageName | undefined {
  const text = given.trim().toLowerCase()
  if (SHA256.test(text)) return { sha256: text }
  return UUID.test(text) ? { id: text } : undefined
}
