import fc from 'fast-check'

/** Cases of each property; as many as `npm test` has time for. */
const CASES = 500

/** For `fc.assert`: a seed of its own for every run, said so that `FUZZ_SEED=<n>` repeats it. Called once a file. */
export function fuzzing(): { numRuns: number; seed: number } {
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
  console.log(`FUZZ_SEED=${seed}`)
  return { numRuns: CASES, seed }
}

const NASTY = [
  ...['\0', '\t', '\n', '\r', '\r\n', '\x1b[2J', '\u0085', '\u2028', '\uFEFF', '\u202e', '\ud800'],
  ...['=', '+', '-', '@', "'", '"', '""', ',', ';', '\\', '%', '_', '*', '?', '#', '&', '/', ' '],
  ...['<script>', '</style>', '</li>', '<!--', '-->', ']]>', '&lt;', '&#0;', '${', 'onerror='],
  ...[
    '__proto__',
    'constructor',
    'null',
    '1e400',
    '-0',
    'ＡＢ',
    '＝',
    '京',
    '🚗',
    'é',
    'a',
    'Z',
    '7',
  ],
]

/** Any text, and often one of characters that mean something to somebody. */
export function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...NASTY), { maxLength: 8 }).map((parts) => parts.join('')),
  )
}

/** Any text that PostgreSQL can hold: no NUL and no half of a character. */
export function storedText(): fc.Arbitrary<string> {
  return anyText().map((text) => text.replaceAll('\0', '').toWellFormed())
}
