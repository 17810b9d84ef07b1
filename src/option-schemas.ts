import { z } from 'zod'

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

/** Region codes, repeated or with commas between. */
export const regions = z
  .array(z.string())
  .transform((codes) =>
    codes.flatMap((code) => code.split(',')).map((code) => code.trim().toLowerCase()),
  )
  .transform((codes) => [...new Set(codes.filter((code) => code !== ''))])

/** The engine's configuration, as an object or as JSON text. */
export const engineConfig = z
  .union([z.record(z.string(), z.unknown()), z.string()])
  .transform((value, context): Readonly<Record<string, unknown>> => {
    if (typeof value !== 'string') return value
    try {
      return z.record(z.string(), z.unknown()).parse(JSON.parse(value))
    } catch {
      context.addIssue(`must be a JSON object, such as '{"mode":"fast"}'.`)
      return z.NEVER
    }
  })

/** A text that says something. */
export const filled = z.string().min(1, 'must not be empty.')
