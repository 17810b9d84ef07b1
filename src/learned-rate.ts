import { createAccountStarts } from './account-starts.ts'
import { createMargin } from './margin.ts'
import {
  countedMs,
  isMore,
  type Probe,
  probeAfterMs,
  probeSpacingMs,
  triedLookups,
} from './probe.ts'
import type { Start } from './start-log.ts'
import { createThrottleEvents } from './throttle-event.ts'

/** What is known of the others on the account. */
export interface Others {
  /** The longest delay that runs were given, in milliseconds; 0 for none. What was learned may be left again, this not. */
  delayMs: number
  /** The longest spacing that they ask for or have learned, in milliseconds; 0 for none. */
  spacingMs: number
  /** How many runs share the account, this one included: the API counts the lookups of all. */
  runs: number
}

/** A rate that was kept to for so long without a 429 was fine: one that comes then is jitter, unless more follow. */
const FINE_MS = 5_000
/** Where counting tells nothing, as with other programs on the account, 429s lower the rate by this. */
const STEP_DOWN = 1.1
/** A rate that has fallen is expected back for so long. */
const FALLEN_MS = 300_000

/**
 * Learns from 429s how many lookups a second the API allows, by counting what it accepted. Pure: it is told what happens
 * and when (milliseconds of any clock), and says how far apart starts have to be.
 * @param delayMs never closer than this, whatever is learned
 */
export function createLearnedRate(delayMs: number) {
  const starts = createAccountStarts()
  /** Lookups a second; undefined as long as nothing is learned. */
  let rate: number | undefined
  const margin = createMargin()
  let firstAt: number | undefined
  let changedAt: number | undefined
  let probe: Probe | undefined
  let probesInVain = 0
  /** A rate that was fine, and the last that is known of it. */
  let fine: { rate: number; at: number } | undefined
  let others: Others = { delayMs: 0, spacingMs: 0, runs: 1 }
  const events = createThrottleEvents()

  const spacingOf = (perSecond: number) => margin.windowMs() / perSecond
  const steadyMs = () => Math.max(delayMs, rate === undefined ? 0 : spacingOf(rate))

  const keptMs = () => Math.max(steadyMs(), others.spacingMs)

  function lookupsUpTo(start: Start, perSecond: number, isCounted: (start: Start) => boolean) {
    return starts.lookupsUpTo(start, countedMs(perSecond), others.runs, isCounted)
  }

  /** The rate to come back to, after it has fallen. */
  function fallenFrom(perSecond: number, at: number): number | undefined {
    if (fine === undefined || at - fine.at >= FALLEN_MS) return undefined
    return fine.rate > STEP_DOWN * perSecond ? fine.rate : undefined
  }

  /** What the delay allows anyhow need not be remembered. */
  function keepTo(perSecond: number): void {
    rate = spacingOf(perSecond) > delayMs ? perSecond : undefined
  }

  /** What a whole event says, when the pause after it is over and its stragglers have been answered. */
  function conclude(at: number): void {
    const event = events.over(at)
    if (event === undefined) return
    const { began, refused } = event
    const told = starts.rateOf(refused, {
      runs: others.runs,
      spacingMs: keptMs(),
      windowMs: margin.windowMs(),
      // Who kept to the rate had its last one a margin before the second.
      marginMs: probe === undefined ? margin.ms() : 0,
    })
    if (probe !== undefined) endProbe(probe, told)
    else if (told > 0) adjust(told, began, at)
    // All was spent by others. Runs will tell what they learn; of other programs nothing is heard.
    else if (others.runs === 1) adjust(1, began, at)
    changedAt = at
  }

  function endProbe({ stage }: Probe, told: number): void {
    // With others at work, counting is too coarse to tell one more from none.
    const isMoreKnown = rate !== undefined && told > rate && others.runs === 1
    if (isMoreKnown) keepTo(told)
    probesInVain = stage > 0 ? 0 : probesInVain + (isMoreKnown ? 0 : 1)
    probe = undefined
  }

  /** A rate that was kept to, or none at all, was too much. */
  function adjust(told: number, began: number, at: number): void {
    const wasMs = keptMs()
    const was = wasMs > 0 ? margin.windowMs() / wasMs : Number.POSITIVE_INFINITY
    const quietMs = began - (changedAt ?? began)
    const wasFine = wasMs > 0 && quietMs >= Math.max(FINE_MS, 3 * wasMs)
    if (wasFine && fallenFrom(was, began) === undefined) fine = { rate: was, at: began }
    // In its first second the API may count what others had asked before.
    const isTooEarly = wasMs > 0 && began - (firstAt ?? began) < 1_000
    if (told < 0.95 * was && !wasFine && !isTooEarly) {
      // The 429s just before were no jitter, then.
      if (quietMs < FINE_MS) margin.narrow()
      keepTo(told)
    } else if (!margin.widen(at)) {
      keepTo(was / STEP_DOWN)
    }
  }

  function maybeProbe(perSecond: number, at: number): void {
    const hasFallen = fallenFrom(perSecond, at) !== undefined
    const afterMs = probeAfterMs(spacingOf(perSecond), hasFallen, probesInVain)
    if (probe !== undefined || at - (changedAt ?? at) < afterMs) return
    margin.relax(at)
    probe = { stage: 0, decisive: undefined }
    if ((probeSpacingMs(probe, perSecond, at) ?? 0) > Math.max(delayMs, others.delayMs)) return
    // The delay is all that can be tried: back to it.
    probe = undefined
    rate = undefined
    changedAt = at
    probesInVain += 1
  }

  /** Has more than the rate been accepted? Then that is the rate now, and still more is tried. */
  function judge(at: number): void {
    if (events.isOpen() || rate === undefined || probe?.decisive === undefined) return
    const { stage, decisive } = probe
    const answered = lookupsUpTo(decisive, rate, ({ outcome }) => outcome === 'answered')
    if (!isMore(answered, probe, rate)) return
    // Below one a second it is the gap that tells.
    const [before, last] = starts.acceptedWithin(Number.NEGATIVE_INFINITY, decisive.at).slice(-2)
    const gapMs = (last?.at ?? 0) - (before?.at ?? 0)
    const tried = Math.min(answered, triedLookups(probe, rate))
    const proven = Math.max(rate, rate >= 1 || gapMs < 1_000 ? tried : 1_000 / gapMs)
    const former = fallenFrom(proven, at)
    fine = undefined
    keepTo(former ?? proven)
    const goesOn = former === undefined && rate !== undefined
    probe = goesOn ? { stage: stage + 1, decisive: undefined } : undefined
    // A limit that is known already need not be looked for as if it were new.
    if (former !== undefined) probesInVain = Math.max(1, probesInVain)
    changedAt = at
  }

  function spacingMs(at: number): number {
    conclude(at)
    if (rate === undefined) return delayMs
    // What another has learned, that one looks after for all.
    if (others.spacingMs > others.delayMs && others.spacingMs >= steadyMs()) {
      rate = undefined
      probe = undefined
      return delayMs
    }
    // As long as others are slower, there is nothing to be tried.
    if (others.spacingMs > 1.01 * steadyMs()) changedAt = at
    else maybeProbe(rate, at)
    const probedMs = rate && probe && probeSpacingMs(probe, rate, at)
    return probedMs === undefined ? steadyMs() : Math.max(delayMs, probedMs)
  }

  return {
    /** How far apart starts have to be now, in milliseconds; 0 when nothing is known to be too fast. */
    spacingMs,

    /** What the others should keep to as well, in milliseconds; 0 when nothing is learned. */
    learnedMs(at: number): number {
      const learned = spacingMs(at)
      return rate === undefined ? 0 : learned
    },

    heard(heard: Others): void {
      others = heard
    },

    /** Nobody starts before this time, whoever was told so. */
    paused(until: number): void {
      starts.paused(until)
      // Another process met the 429 that this one's probe brought about.
      if (probe !== undefined && !events.isOpen()) endProbe(probe, 0)
    },

    /** @param spacingMs what spaced it from the one before */
    started(at: number, spacingMs: number): Start {
      const start = starts.started(at, spacingMs)
      firstAt ??= at
      changedAt ??= at
      if (rate !== undefined && probe && probeSpacingMs(probe, rate, at) !== undefined) {
        const lookups = lookupsUpTo(start, rate, () => true)
        if (isMore(lookups, probe, rate)) probe.decisive = start
      }
      return start
    },

    answered(start: Start, at: number): void {
      start.outcome = 'answered'
      judge(at)
    },

    /** @param at when the 429 came, which said to wait so long */
    refused(start: Start, waitMs: number, at: number): void {
      start.outcome = 'refused'
      events.refused(start, waitMs, at)
    },
  }
}
