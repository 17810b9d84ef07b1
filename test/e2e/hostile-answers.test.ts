import { expect, test } from 'vitest'
import { sha256Of } from '../../src/sha256.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const MANY = { answer: { results: Array(100_000).fill({ plate: 'a', score: 0.5 }) } }
const LARGE = { rawAnswer: `{"results":[],"more":"${'x'.repeat(10_000_000)}"}` }
const ODD = { rawAnswer: `{"results":[{"plate":"nh\\u0000k","score":NaN}],"filename":"\\ud800"}` }

test('an answer with too much in it costs its image and no more: it was bought once', async () => {
  const [many, large, odd] = ['many.jpg', 'large.jpg', 'odd.jpg'] as const
  const answers = new Map<string, typeof MANY | typeof LARGE>([
    [sha256Of(pictureOf(many)), MANY],
    [sha256Of(pictureOf(large)), LARGE],
    [sha256Of(pictureOf(odd)), ODD],
  ])
  const sandbox = { fault: ({ sha256 }: { sha256: string }) => answers.get(sha256) }
  await using place = await createWorkplace({ sandbox })
  const list = await place.draw(many, large, odd)
  const codes = (images: { source: string; outcome: string; error?: { code: string } }[]) =>
    Object.fromEntries(images.map(({ source, outcome, error }) => [source, error?.code ?? outcome]))

  const first = await place.ingest(list, ['--lost-answer', 'retry'])
  expect(first.exitCode, first.stderr).toBe(1)
  expect(codes(first.images)).toEqual({
    [many]: 'answer_unusable',
    [large]: 'answer_too_large',
    [odd]: 'stored',
  })
  expect(first.summary).toMatchObject({ lookups: 3, attempts: 3, uncertain: 1, failed: 2 })
  const hints = first.images.map(({ error }) => error?.hint ?? '').join(' ')
  expect(hints).toContain('The answer is kept, and is not bought again.')
  expect(hints).not.toContain('the next run writes it')
  expect(
    await place.query(
      `SELECT plate_text, plate_confidence, meta->'mended' AS mended FROM vehicle_snapshots`,
    ),
  ).toEqual([
    { plate_text: 'nh\uFFFDk', plate_confidence: null, mended: ['nul', 'number', 'surrogate'] },
  ])

  // All of the many are below this threshold.
  const flags = ['--lost-answer', 'retry', '--confidence-threshold', '0.6']
  const dry = await place.ingest(list, [...flags, '--dry-run'])
  expect(dry.summary).toMatchObject({ would_look_up: 0, failed: 1 })
  const second = await place.ingest(list, flags)
  expect(codes(second.images)).toEqual({
    [many]: 'below_threshold',
    [large]: 'answer_too_large',
    [odd]: 'duplicate',
  })
  expect(second.summary).toMatchObject({ attempts: 0, failed: 1 })

  // Its answer is settled by now, and may not become rows later either: the others do.
  const again = await place.run(['reprocess'])
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain('[answer_unusable]')
  expect(again.stdout).toMatch(/^2 known images/)
  expect(place.sandbox.billedCount()).toBe(3)
})
