/** The `n`th number from 0 to 1 of a seed (mulberry32): the same whatever order they are asked for in. */
export function chance(seed: number, n: number): number {
  let bits = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1)
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
}

/** Numbers from 0 to 1, one after the other, that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let n = 0
  return () => chance(seed, n++)
}
