import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { showProgress } from '../../src/progress.ts'
import type { Shell } from '../../src/shell.ts'
import { createTally } from '../../src/tally.ts'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

/** A shell as cron has it: no terminal. */
function cronShell(): { shell: Shell; said: string[] } {
  const said: string[] = []
  const shell = {
    ...{ env: {}, input: Readable.from([]), out: () => {}, say: (text: string) => said.push(text) },
    ...{ outBytes: () => {}, drained: async () => {} },
    ...{ terminalColumns: undefined, signal: new AbortController().signal },
    ...{ stoppedBy: () => undefined, version: '0.0.0' },
  }
  return { shell, said }
}

test('without a terminal there is a line a minute, with counts, rate and time left', () => {
  const { shell, said } = cronShell()
  const progress = showProgress(shell, 900)
  for (let images = 1; images <= 300; images += 1) {
    vi.advanceTimersByTime(500)
    progress.update({ ...createTally(), images, stored: images - 1, failed: 1 })
  }
  expect(said).toEqual([
    '119 images of 900, 118 stored, 1 failed, 2.0/s, 7 min left',
    '239 images of 900, 238 stored, 1 failed, 2.0/s, 6 min left',
  ])
  progress.stop()
  vi.advanceTimersByTime(600_000)
  expect(said).toHaveLength(2)
})

test('before the first image has ended there is nothing to say', () => {
  const { shell, said } = cronShell()
  const progress = showProgress(shell, undefined)
  vi.advanceTimersByTime(120_000)
  expect(said).toEqual([])
  progress.update({ ...createTally(), images: 1, duplicate: 1 })
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual(['1 image, 1 known, 0.0/s'])
  progress.stop()
})
