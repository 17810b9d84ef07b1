import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { platesStatement } from '../../src/db/plates.ts'
import { BOTH_DATABASES, type OpenedDatabase } from '../support/both-databases.ts'
import { fuzzing, storedText } from '../support/fuzzing.ts'

const cases = fuzzing()

/** Letters only that every database puts into lower case alike: ASCII ones, and those that have no case. */
const sameCase = (text: string) =>
  text.replace(/[^\p{ASCII}]/gu, (letter) => (isCased(letter) ? 'x' : letter))
const isCased = (letter: string) =>
  letter.toLowerCase() !== letter || letter.toUpperCase() !== letter

/** As docs/what-was-seen.md has it: any case, blanks, dashes and dots left out; a plate counts up to its 100th character. */
function bare(text: string): string[] {
  return [...text.replace(/[ .-]/g, '').toLowerCase()]
}

/** Does a plate fit, by the plainest of ways: a row of the places in the pattern that have been come to. */
function fits(plate: string, pattern: string): boolean {
  const wanted = bare(pattern)
  /** A star may stand for nothing. */
  const beyondStars = (places: Set<number>) => {
    for (const place of places) if (wanted[place] === '*') places.add(place + 1)
    return places
  }
  let places = beyondStars(new Set([0]))
  for (const letter of bare(plate).slice(0, 100)) {
    const next = [...places].flatMap((place) => {
      const sign = wanted[place]
      if (sign === '*') return [place]
      return sign === '?' || sign === letter ? [place + 1] : []
    })
    places = beyondStars(new Set(next))
  }
  return places.has(wanted.length)
}

const signs = fc.string({
  unit: fc.constantFrom(...'ABab01*?%_\\.- ^$[]()|+{}\'"\t\n京🚗'),
  maxLength: 12,
})
const words = fc.oneof(signs, storedText().map(sameCase))
/** A pattern for which a matcher that tries everything would never end. */
const endless = fc.nat({ max: 40 }).map((n) => `${'*a'.repeat(n)}*b`)
const alike = fc.constantFrom('a'.repeat(100), 'a'.repeat(200), `${'a'.repeat(99)}b`)
/** A plate, and a pattern made of it: some of its characters wild, some of them doubled. */
const related = fc
  .tuple(words, fc.array(fc.constantFrom('*', '?', '', undefined)))
  .map(([plate, wild]) => {
    const pattern = [...plate].map((letter, n) => wild[n] ?? letter).join('')
    return [plate, pattern] as const
  })
const pairs = fc.oneof(related, fc.tuple(words, words), fc.tuple(alike, endless))

describe.each(BOTH_DATABASES)('wildcards on %s', (_name, open) => {
  let opened: OpenedDatabase
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test('a plate is found exactly where * is any text and ? any character, and nothing else is wild', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async ([plate, pattern]) => {
        const { sql, values } = platesStatement({ plate: pattern })
        // A table of this one plate in the place of the real one: nothing has to be written.
        const row = `jsonb_populate_record(NULL::vehicle_snapshots, jsonb_build_object('plate_text', $${values.length + 1}::text))`
        const found = await opened.database.query(
          `WITH vehicle_snapshots AS (SELECT r.* FROM ${row} r) ${sql}`,
          [...values, plate],
        )
        expect(found).toHaveLength(fits(plate, pattern) ? 1 : 0)
      }),
      cases,
    )
  })
})
