import type { Clock } from '../../src/clock.ts'
import { createPace, type Pace } from '../../src/pace.ts'
import { slidingThrottle } from '../../src/sandbox/throttle.ts'
import type { SharedPace } from '../../src/shared-pace.ts'
import { randomOf } from '../support/chance.ts'

/** Time that passes only when nothing is left to be done. */
export function fakeTime() {
  let time = 1_000
  let tasks: { at: number; work: () => void }[] = []
  const clock: Clock = {
    now: () => time,
    wake(at, work) {
      const task = { at, work }
      tasks.push(task)
      return () => {
        tasks = tasks.filter((other) => other !== task)
      }
    },
  }
  return {
    clock,
    sleep: (ms: number) => new Promise<void>((resolve) => clock.wake(time + ms, resolve)),
    async passUntil(end: number) {
      for (;;) {
        // All promises that are settled by now have their say.
        await new Promise(setImmediate)
        const next = tasks.reduce((a, b) => (b.at < a.at ? b : a), { at: end, work: () => {} })
        if (next.at >= end) break
        tasks = tasks.filter((task) => task !== next)
        time = Math.max(time, next.at)
        next.work()
      }
      time = end
    },
  }
}

/** The row of an account whose workers keep to this delay, without outages. @returns each worker's own way to it */
function accountOfWorkers(delayMs: number, workers: number, { now }: Clock): SharedPace[] {
  const row = { nextAt: 0, pausedUntil: 0, learnedMs: 0, learnedBy: -1, learnedAt: 0 }
  return Array.from({ length: workers }, (_, self): SharedPace => {
    const learnedMs = () =>
      row.learnedBy === self || now() - row.learnedAt > 60_000 ? 0 : row.learnedMs
    const heard = () => ({
      others: { delayMs, spacingMs: Math.max(delayMs, learnedMs()), runs: workers },
      pausedMs: Math.max(0, row.pausedUntil - now()),
      nextMs: row.nextAt - now(),
    })
    return {
      async reserve(ask) {
        const spacingMs = Math.max(ask.spacingMs, delayMs, learnedMs())
        const first = Math.max(row.nextAt + ask.lateMs, now() + ask.pauseMs)
        row.nextAt = first + ask.count * spacingMs
        if (row.learnedBy === self || ask.learnedMs > learnedMs()) {
          Object.assign(row, { learnedMs: ask.learnedMs, learnedBy: self, learnedAt: now() })
        }
        return { ...heard(), waitMs: first - now(), spacingMs, nowMs: now() }
      },
      hear: async () => heard(),
      async pause(waitMs) {
        row.pausedUntil = Math.max(row.pausedUntil, now() + waitMs)
        row.nextAt = Math.max(row.nextAt, row.pausedUntil)
      },
      unanswered: async () => 0,
      refuse: async () => {},
    }
  })
}

interface ApiScript {
  /** Lookups a second that are allowed, each for so many seconds; the log of requests begins anew with each. */
  phases: readonly (readonly [limit: number | undefined, seconds: number])[]
  delayMs?: number
  /** So many workers that share the concurrency, and keep together to the delay as their account's. */
  workers?: number
  concurrency?: number
  /** How much longer than a millisecond a request or an answer may be on its way, and a timer late now and then. */
  jitterMs?: number
  /** A 429 takes as long as an answer: 100 to 500 ms. */
  isRefusalSlow?: boolean
  /** Requests a second of another program on the same account. */
  otherPerSecond?: number
  seed?: number
}

/** One request as the API saw it, at milliseconds from the beginning. */
interface Seen {
  at: number
  isAccepted: boolean
}

/** A run against an API with a limit, in fake time: as many lookups as its pace lets through. */
export async function simulate({
  phases,
  delayMs = 0,
  workers,
  concurrency = 16,
  jitterMs = 10,
  isRefusalSlow = false,
  otherPerSecond = 0,
  seed = 1,
}: ApiScript): Promise<Seen[]> {
  const random = randomOf(seed)
  const { clock, sleep, passUntil } = fakeTime()
  const late: Clock = {
    now: clock.now,
    wake: (at, work) =>
      clock.wake(at + 0.3 * random() + (random() < 0.05 ? jitterMs * random() : 0), work),
  }
  const paces =
    workers === undefined
      ? [createPace(delayMs, undefined, late)]
      : accountOfWorkers(delayMs, workers, clock).map((shared) => createPace(0, shared, late))
  const began = clock.now()
  const seen: Seen[] = []
  const signal = new AbortController().signal
  let throttle = slidingThrottle(undefined)

  async function lookUpOneAfterTheOther(pace: Pace): Promise<void> {
    for (;;) {
      const start = await pace.turn(signal)
      await sleep(1 + jitterMs * random() ** 3)
      const waitMs = throttle(clock.now())
      seen.push({ at: clock.now() - began, isAccepted: waitMs === 0 })
      if (waitMs === 0 || isRefusalSlow) await sleep(100 + 400 * random())
      await sleep(1 + jitterMs * random() ** 3)
      if (waitMs === 0) pace.answered(start)
      else await pace.throttled(start, Math.ceil(waitMs / 1_000) * 1_000)
    }
  }
  async function other(): Promise<void> {
    for (;;) {
      await sleep((2_000 / otherPerSecond) * random())
      throttle(clock.now())
    }
  }
  let end = began
  for (const [place, [limit, seconds]] of phases.entries()) {
    throttle = slidingThrottle(limit)
    if (place === 0)
      for (let place = 0; place < concurrency; place += paces.length)
        for (const pace of paces) void lookUpOneAfterTheOther(pace)
    if (place === 0 && otherPerSecond > 0) void other()
    end += seconds * 1_000
    await passUntil(end)
  }
  return seen
}
