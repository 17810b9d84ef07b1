import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { closedEnv } from '../support/cli.ts'
import { startImageServer } from '../support/image-server.ts'
import { SAMPLE_ANSWERS, SAMPLES } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const run = promisify(execFile)
const USER = fileURLToPath(new URL('./library-user.mjs', import.meta.url))

test('the steps and the whole run can be used from a program', async () => {
  const [sha256 = '', answer] =
    Object.entries(SAMPLE_ANSWERS).find(([, { file }]) => file === 'gate-sedan-front.jpg') ?? []
  const [result] = answer?.results ?? []
  const picture = join(SAMPLES, 'gate-sedan-front.jpg')
  await using server = await startImageServer({ '/gate.jpg': await readFile(picture) })
  await using place = await createWorkplace({ storage: 's3' })
  const env = closedEnv(place.folder, {
    ...place.env,
    PICTURE: picture,
    IMAGE_URL: `${server.url}/gate.jpg`,
  })
  const { stdout, stderr } = await run(process.execPath, [USER], { cwd: place.folder, env })
  expect(stderr).toBe('')
  const said = JSON.parse(stdout)
  expect(said.facts).toEqual({
    source: picture,
    mime: 'image/jpeg',
    extension: 'jpg',
    size: expect.any(Number),
    sha256,
    modifiedAtMs: expect.any(Number),
  })
  const key = `vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.jpg`
  const bucket = place.bucket?.bucket
  expect(said.uploaded).toMatchObject({ bucket, key, isNew: true })
  expect((await fetch(said.uploaded.url)).status).toBe(200)
  expect(said.again).toEqual({ bucket, key, isNew: false, url: `s3://${bucket}/${key}` })
  expect(said.answer).toMatchObject({ attempts: 1, uncertain: 0 })
  expect(said.answer.response.results).toEqual(answer?.results)
  expect(said.byUrl.response.results).toEqual(answer?.results)
  expect(server.requests).toEqual(['/gate.jpg'])
  expect(Date.parse(said.snapshot.capturedAt)).toBe(Date.parse('2026-01-31T08:30:00Z'))
  expect(said.snapshot.readings).toEqual([
    expect.objectContaining({
      index: 0,
      plate: result?.plate,
      score: result?.score,
      box: result?.box,
      makesModels: result?.model_make,
    }),
  ])
  expect(said.outcomes).toEqual(['stored', 'failed', 'duplicate'])
  expect(said.run.tally).toMatchObject({
    images: 3,
    stored: 1,
    failed: 1,
    duplicate: 1,
    lookups: 1,
  })
  expect(said.wrong).toEqual({
    isOurs: true,
    code: 'config',
    names: ['PLATE_API_KEY', '--delay'],
  })
  expect(await place.query('SELECT plate_text FROM vehicle_snapshots')).toEqual([
    { plate_text: result?.plate },
  ])
})
