import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedDatabase } from '../../src/db/embedded.ts'
import { applySchema } from '../../src/db/schema.ts'
import type { SandboxFault } from '../../src/sandbox/fault.ts'
import { type Entries, expectDone, expectSound, type Plates } from '../support/after-death.ts'
import { answersFor } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace, type WorkplaceOptions } from '../support/workplace.ts'

const PLATES: Plates = {
  'first.jpg': ['one1'],
  'second.jpg': ['two1', 'two2'],
  'third.jpg': ['three1'],
  'fourth.jpg': [],
  'fifth.jpg': ['five1'],
}
const LINES = Object.keys(PLATES)
const CONCURRENCY = 2
const FLAGS = ['--concurrency', `${CONCURRENCY}`]
/** How sure all readings are, and a threshold that none of them reaches. */
const SCORE = 0.8
const TOO_HIGH = ['--confidence-threshold', '0.9']

/** An embedded database with nothing in it: to make one for each test would take seconds. */
let emptyDatabase: string
beforeAll(async () => {
  emptyDatabase = await mkdtemp(join(tmpdir(), 'plate-snapshot-empty-'))
  const database = await openEmbeddedDatabase(emptyDatabase)
  await applySchema(database)
  await database.close()
})
afterAll(() => rm(emptyDatabase, { recursive: true }))

async function placeFor(options: WorkplaceOptions = {}): Promise<Workplace> {
  const place = await createWorkplace({ ...options, sandbox: { answers: answersTo(PLATES) } })
  if (options.database === 'embedded') {
    await cp(emptyDatabase, join(place.folder, 'plate-snapshot-data'), { recursive: true })
  }
  await place.draw(...LINES)
  return place
}

function answersTo(plates: Plates) {
  const scored = Object.entries(plates).map(([name, texts]) => [
    name,
    texts.map((text) => [text, SCORE] as const),
  ])
  return answersFor(Object.fromEntries(scored))
}

/** Runs the list, and the run kills itself at the point. */
async function dies(place: Workplace, point: string, flags: readonly string[] = []) {
  const env = { PLATE_SNAPSHOT_DIE_AT: point }
  const { exitCode, stderr } = await place.ingest(LINES, [...FLAGS, ...flags], { env })
  expect(exitCode, `never came to ${point}: ${stderr}`).toBe(null)
}

/** Runs the same list to its end. */
async function finishes(place: Workplace, flags: readonly string[] = []) {
  const { exitCode, stderr } = await place.ingest(LINES, [...FLAGS, ...flags])
  expect(exitCode, stderr).toBe(0)
}

/** Images whose request may have been under way. */
const underWay = (entries: Entries) => [...entries.values()].filter(({ isAsking }) => isAsking)

/** What was under way at the death counts as one uncertain request more, and what was answered then is not asked. */
function expectCounted(after: Entries, atDeath: Entries, isForced = false) {
  for (const { sha256, attempts, uncertain } of after.values()) {
    const then = atDeath.get(sha256)
    const lost = then?.isAsking ? 1 : 0
    const asked = then?.answer && !isForced ? 0 : 1
    expect(uncertain).toBe((then?.uncertain ?? 0) + lost)
    expect(attempts).toBe((then?.attempts ?? 0) + lost + asked)
  }
}

/** At a point, the image that is there: may its request be billed without an answer in the ledger, and was it? */
interface Dying {
  asked: 0 | 1
  billed: 0 | 1
}
const SAFE: Dying = { asked: 0, billed: 0 }
const UNSENT: Dying = { asked: 1, billed: 0 }
const LOST: Dying = { asked: 1, billed: 1 }

type Point = readonly [name: string, dying: Dying]

/** Of these the first image gets to each before any other is asked about. */
const UP_TO_ASKING: readonly Point[] = [
  ['before fetch', SAFE],
  ['after fetch', SAFE],
  ['before claim', SAFE],
  ['after claim', SAFE],
  ['before put', SAFE],
  ['after put', SAFE],
  ['before lookup', SAFE],
  ['before asking', SAFE],
  ['after asking', UNSENT],
]
const POINTS: readonly Point[] = [
  ...UP_TO_ASKING,
  ['after lookup', LOST],
  ['before settle', LOST],
  ['after settle', SAFE],
]
/** Points between which something is written. */
const DISTINCT = POINTS.filter(([name]) => name.startsWith('after'))
const ESSENTIAL = POINTS.filter(([name]) => /^after (put|asking)|settle$/.test(name))

describe.each<[name: string, options: WorkplaceOptions, nth: number, points: readonly Point[]]>([
  ['first image on a server database that keeps the images', {}, 1, POINTS],
  ['third image on a server database and S3', { storage: 's3' }, 3, DISTINCT],
  ['second image on the embedded database', { database: 'embedded' }, 2, ESSENTIAL],
])('killed with the %s', (_name, options, nth, points) => {
  test.concurrent.each(points)(
    '%s, a run leaves nothing half done, and the next does the rest',
    async (point, dying) => {
      await using place = await placeFor(options)
      await dies(place, `${point}#${nth}`)
      const atDeath = await expectSound(place)
      const isAlone = nth === 1 && UP_TO_ASKING.some(([name]) => name === point)
      // More images are in flight than are asked about: one that is not asked about leaves that to as many others.
      const others = isAlone ? 0 : CONCURRENCY - dying.asked
      const asking = underWay(atDeath).length
      expect(asking).toBeGreaterThanOrEqual(dying.asked)
      expect(asking).toBeLessThanOrEqual(dying.asked + others)

      await finishes(place)
      const { entries, extra } = await expectDone(place, PLATES)
      expect(extra).toBeGreaterThanOrEqual(dying.billed)
      expect(extra).toBeLessThanOrEqual(dying.billed + others)
      expectCounted(entries, atDeath)
    },
  )
})

test.concurrent.each(['before amend', 'after amend'])(
  'killed %s while known images get rows, a run leaves each with all of them or none',
  async (point) => {
    await using place = await placeFor()
    await finishes(place, TOO_HIGH)
    await dies(place, `${point}#2`)
    const atDeath = await expectSound(place, true)
    await finishes(place)
    const { entries, extra } = await expectDone(place, PLATES)
    expect(extra).toBe(0)
    expectCounted(entries, atDeath)
  },
)

test.concurrent.each(['before settle', 'after settle'])(
  'killed %s of another answer, a forced run leaves the one or the other with its rows',
  async (point) => {
    await using place = await placeFor()
    await finishes(place)
    const plates = { ...PLATES, 'second.jpg': ['other'] }
    place.sandbox.configure({ answers: answersTo(plates) })
    await dies(place, point, ['--force'])
    const atDeath = await expectSound(place)
    await finishes(place, ['--force'])
    const { entries } = await expectDone(place, plates)
    expectCounted(entries, atDeath, true)
  },
)

test.concurrent.each<
  [point: string, what: string, fault: SandboxFault, least: number, most: number]
>([
  ['before release', 'after a refusal', { status: 403 }, 0, 0],
  ['after release', 'after a refusal', { status: 403 }, 0, 0],
  ['before fail', 'after an error', { status: 400 }, 0, 0],
  ['after fail', 'after an error', { status: 400 }, 0, 0],
  ['before fail', 'after an answer was lost', 'reset-after-billing', 1, CONCURRENCY],
  ['after fail', 'after an answer was lost', 'reset-after-billing', 1, CONCURRENCY],
])(
  'killed %s %s, a run leaves its images to the next',
  async (point, _what, fault, least, most) => {
    await using place = await placeFor()
    place.sandbox.configure({ fault: () => fault })
    await dies(place, point, ['--retries', '0'])
    const atDeath = await expectSound(place)
    place.sandbox.configure({ fault: undefined })
    await finishes(place)
    const { entries, extra } = await expectDone(place, PLATES)
    expect(extra).toBeGreaterThanOrEqual(least)
    expect(extra).toBeLessThanOrEqual(most)
    expectCounted(entries, atDeath)
  },
)

test.concurrent.each<[point: string, dying: Dying]>([
  ['before asking', SAFE],
  ['after asking', UNSENT],
  ['before settle', LOST],
  ['after settle', SAFE],
])(
  'killed %s, with --lost-answer fail just the images that were being asked about are given up',
  async (point, { asked }) => {
    await using place = await placeFor()
    await dies(place, point)
    const lost = underWay(await expectSound(place)).map(({ sha256 }) => sha256)
    expect(lost.length).toBeGreaterThanOrEqual(asked)
    expect(lost.length).toBeLessThanOrEqual(CONCURRENCY)
    const billedOf = () => lost.map((sha256) => place.sandbox.billedCount(sha256))
    const billed = billedOf()

    const { exitCode, images } = await place.ingest(LINES, ['--lost-answer', 'fail'])
    expect(exitCode).toBe(lost.length > 0 ? 1 : 0)
    const failed = images.filter(({ outcome }) => outcome === 'failed')
    expect(failed.map(({ error }) => error?.code)).toEqual(lost.map(() => 'answer_lost'))
    const unanswered = [...(await expectSound(place)).values()].filter(({ answer }) => !answer)
    expect(unanswered.map(({ sha256 }) => sha256).sort()).toEqual(lost.toSorted())
    expect(billedOf()).toEqual(billed)

    await finishes(place)
    await expectDone(place, PLATES)
  },
)

test('killed while the files of the embedded database are being made, a run leaves that to the next', async () => {
  await using place = await createWorkplace({ database: 'embedded' })
  const lines = await place.draw(...LINES)
  const running = await place.startIngest(lines)
  const data = join(place.folder, 'plate-snapshot-data/pgdata')
  while (!existsSync(join(data, 'global')) && !running.hasEnded()) await sleep(1)
  running.kill('SIGKILL')
  expect((await running.ended).exitCode).toBe(null)
  // At the worst moment: what tells a database is there, and others of its files are not.
  await cp(join(emptyDatabase, 'pgdata/PG_VERSION'), join(data, 'PG_VERSION'))
  const { exitCode, stderr } = await place.ingest(lines)
  expect(exitCode, stderr).toBe(0)
  expect(place.sandbox.billedCount()).toBe(lines.length)
})
