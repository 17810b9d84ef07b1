import { MultiBar, Presets } from 'cli-progress'
import { escapeControls } from './escape-controls.ts'
import { counted } from './run-report.ts'
import type { Shell } from './shell.ts'
import type { Tally } from './tally.ts'
import { timeLeft } from './time-left.ts'

/** Shows how far a run is. */
export interface Progress {
  update(tally: Tally): void
  /** A line that stays, above the bar if there is one. */
  say(text: string): void
  stop(): void
}

/** How often a run without a terminal says where it is, in milliseconds: a line a minute suits a cron log. */
const LINE_EVERY_MS = 60_000
/** After fewer images the time left is a wild guess. */
const FEW = 5
/** The bar needs this many columns to be of use. */
const NARROWEST = 60

/**
 * On a terminal a bar with counts, rate and time left; otherwise a plain line a minute.
 * @param total images in the list, where known
 */
export function showProgress(
  shell: Shell,
  total: number | undefined,
  startedMs = performance.now(),
): Progress {
  const columns = shell.terminalColumns
  return columns !== undefined && columns >= NARROWEST
    ? bar(shell, total, startedMs)
    : lines(shell, total, startedMs)
}

/** A progress that only passes on what must be said, or not even that. */
export function silentProgress(say: (text: string) => void): Progress {
  return { update: () => {}, say, stop: () => {} }
}

function bar(shell: Shell, total: number | undefined, startedMs: number): Progress {
  const known = total === undefined ? '{value} images' : '{value}/{total} {percentage}%'
  const bars = new MultiBar(
    {
      format: total === undefined ? `${known} {rest}` : `{bar} ${known} {rest}`,
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      // The signals are the command's own: the bar must not take them over.
      gracefulExit: false,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  )
  // What is logged shows with the next redrawing, and the last lines would wait for one that never comes.
  let unshown: string[] = []
  bars.on('redraw-post', () => {
    unshown = []
  })
  const one = bars.create(Math.max(1, total ?? 1), 0, { rest: '' })
  return {
    update(tally) {
      if (total === undefined) one.setTotal(Math.max(1, tally.images))
      one.update(tally.images, { rest: restOf(tally, total, startedMs) })
    },
    say(text) {
      unshown.push(text)
      // It writes to the terminal itself.
      bars.log(`${escapeControls(text)}\n`)
    },
    stop() {
      bars.stop()
      for (const text of unshown) shell.say(text)
    },
  }
}

function lines(shell: Shell, total: number | undefined, startedMs: number): Progress {
  let latest: Tally | undefined
  const timer = setInterval(() => {
    if (latest === undefined) return
    const of = total === undefined ? '' : ` of ${total}`
    shell.say(`${counted(latest.images, 'image')}${of}, ${restOf(latest, total, startedMs)}`)
  }, LINE_EVERY_MS)
  timer.unref()
  return {
    update: (tally) => {
      latest = tally
    },
    say: (text) => shell.say(text),
    stop: () => clearInterval(timer),
  }
}

/** `3 stored, 1 failed, 7.9/s, 2 min left` */
function restOf(tally: Tally, total: number | undefined, startedMs: number): string {
  const seconds = (performance.now() - startedMs) / 1_000
  const rate = tally.images / Math.max(seconds, 0.001)
  const parts: [number, string][] = [
    [tally.stored, 'stored'],
    [tally.duplicate, 'known'],
    [tally.failed, 'failed'],
  ]
  const counts = parts.filter(([n]) => n > 0).map(([n, label]) => `${n} ${label}`)
  const isKnown = total !== undefined && tally.images >= FEW
  const left = isKnown ? [`${timeLeft((total - tally.images) / rate)} left`] : []
  return [...counts, `${rate.toFixed(1)}/s`, ...left].join(', ')
}
