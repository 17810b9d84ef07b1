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
