/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const JUNK = [null, '', '\0', '\ud800', 0, -1, 1e308, true, [], {}, [null], { score: 'x' }]

/** A copy of a list in whose depths about one value in ten is something else. */
export function junkIn(list: readonly unknown[], random: () => number): unknown[] {
  const spoiled = (value: unknown): unknown => {
    if (random() < 0.1) return JUNK[Math.trunc(random() * JUNK.length)]
    if (Array.isArray(value)) return value.map(spoiled)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, spoiled(inner)]))
  }
  return list.map(spoiled)
}
