import type { Start } from './start-log.ts'

/** A try at more lookups a second than are known to be allowed. */
export interface Probe {
  /** How many tries before this one proved fine, one upon the other. */
  stage: number
  /** The lookup that is one too many, if the limit is what it was. */
  decisive: Start | undefined
}

/** How long after the last change more is tried. Each time in vain doubles it. A refused try costs about a second. */
const AFTER_MS = 30_000
const AFTER_LOOKUPS = 100
const LONGEST_AFTER_MS = 120_000
/** A rate that has fallen may come back: it is tried that often. */
const FALLEN_AFTER_MS = 8_000
const FALLEN_AFTER_LOOKUPS = 25
/** By how much more than what is known to be fine is tried, at each stage. */
const FACTORS = [1.25, 1.5, 2]
/** A try fits into this share of the window, so that it is no accident if it is accepted, and it counts within that one. */
const SHARE = 0.93
const COUNTED_SHARE = 0.97
/** As long as the answer to the decisive lookup is awaited, nothing more is risked. */
const HELD_MS = 3_000

/** An API's window for a rate: so many lookups in so many milliseconds. */
function windowOf(rate: number): { lookups: number; ms: number } {
  return { lookups: Math.max(1, rate), ms: Math.max(1_000, 1_000 / rate) }
}

/** Within so many milliseconds before a lookup is counted what was tried. */
export function countedMs(rate: number): number {
  return COUNTED_SHARE * windowOf(rate).ms
}

/**
 * How long after the last change more is tried, in milliseconds.
 * @param hasFallen the rate was notably higher not long ago
 * @param inVain how many tries were refused one after the other
 */
export function probeAfterMs(spacingMs: number, hasFallen: boolean, inVain: number): number {
  if (hasFallen) return Math.max(FALLEN_AFTER_MS, FALLEN_AFTER_LOOKUPS * spacingMs)
  const firstMs = Math.max(AFTER_MS, AFTER_LOOKUPS * spacingMs)
  return Math.max(firstMs, Math.min(firstMs * 2 ** inVain, LONGEST_AFTER_MS))
}

/** How many lookups are tried, and how far apart. */
function triedBy({ stage }: Probe, rate: number): { lookups: number; spacingMs: number } {
  const factor = FACTORS[Math.min(stage, FACTORS.length - 1)] ?? 1
  const { lookups: had, ms } = windowOf(rate)
  const lookups = Math.max(Math.floor(had) + 1, Math.floor(had * factor))
  return { lookups, spacingMs: Math.min((SHARE * ms) / (lookups - 1), ms / (had * factor)) }
}

/** How many lookups a try makes in one window. */
export function triedLookups(probe: Probe, rate: number): number {
  return triedBy(probe, rate).lookups
}

/** The spacing of a try, in milliseconds; undefined while its outcome is awaited. */
export function probeSpacingMs(probe: Probe, rate: number, at: number): number | undefined {
  const isHeld = probe.decisive !== undefined && at < probe.decisive.at + HELD_MS
  return isHeld ? undefined : triedBy(probe, rate).spacingMs
}

/** Are these lookups more than the rate, and about what is tried? */
export function isMore(lookups: number, probe: Probe, rate: number): boolean {
  const { lookups: had } = windowOf(rate)
  return lookups >= Math.max(Math.floor(had) + 1, 0.9 * triedBy(probe, rate).lookups)
}
