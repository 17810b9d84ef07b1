/** What can be wrong with a value that is to go into PostgreSQL. `encoding` (no UTF-8) is found where bytes become text. */
type Mend = 'depth' | 'encoding' | 'nul' | 'number' | 'surrogate'

/** A value fit for `jsonb` and `text`, and what had to be replaced for that. */
interface Mended {
  value: unknown
  mended: readonly Mend[]
}

/** Nobody nests deeper on purpose; `JSON.stringify` and PostgreSQL run out of stack some thousand levels on. */
const DEEPEST = 100
/**
 * PostgreSQL writes a number with all of its zeros: six bytes (`1e308,`) come back as three hundred. No score, pixel or
 * angle is beyond this.
 */
const LARGEST = 1e50

/**
 * Replaces what PostgreSQL or JSON cannot keep, in values and in names: NUL characters and lone surrogates by U+FFFD,
 * numbers beyond all measure (1e308, 1e-308, infinite) and what lies deeper than 100 levels by null. An answer is paid
 * for: it must not fail on its way into the database. `__proto__` is a name like any other.
 */
export function mend(value: unknown): Mended {
  const found = new Set<Mend>()
  const note = (mend: Mend, isFound: boolean) => {
    if (isFound) found.add(mend)
    return isFound
  }
  const mendText = (text: string) => {
    note('nul', text.includes('\0'))
    note('surrogate', !text.isWellFormed())
    return text.replaceAll('\0', '\uFFFD').toWellFormed()
  }
  const mendInner = (inner: unknown, depth: number): unknown => {
    if (typeof inner === 'string') return mendText(inner)
    if (typeof inner === 'number') return note('number', !isMeasure(inner)) ? null : inner
    if (inner === null || typeof inner !== 'object') return inner
    if (note('depth', depth >= DEEPEST)) return null
    if (Array.isArray(inner)) return inner.map((element) => mendInner(element, depth + 1))
    return Object.fromEntries(
      Object.entries(inner).map(([key, element]) => [mendText(key), mendInner(element, depth + 1)]),
    )
  }
  return { value: mendInner(value, 0), mended: [...found] }
}

/** The same value, fit for `jsonb` and `text`, where nobody asks what was replaced. */
export function storable(value: unknown): unknown {
  return mend(value).value
}

function isMeasure(number: number): boolean {
  const size = Math.abs(number)
  return size === 0 || (size <= LARGEST && size >= 1 / LARGEST)
}
