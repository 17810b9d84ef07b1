import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { pngBomb } from '../support/bombs.ts'
import { CLI, closedEnv } from '../support/cli.ts'
import { sha256Of } from '../support/sample-pictures.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const GATE = 'samples/gate-sedan-front.jpg'
const TWO = 'samples/two-cars-at-the-lights.jpg'
const run = promisify(execFile)

/** The command's standard output as bytes. */
async function bytesOf({ folder, env }: Workplace, ...args: string[]): Promise<Buffer> {
  const options = { cwd: folder, env: closedEnv(folder, env), encoding: 'buffer' as const }
  const { stdout, stderr } = await run(process.execPath, [CLI, 'image', ...args], options)
  expect(stderr.toString()).toBe('')
  return stdout
}

async function rowsOf({ query }: Workplace) {
  const rows = await query<{ id: string; sha256: string; plate: string }>(
    `SELECT id, image_sha256 AS sha256, plate_text AS plate FROM vehicle_snapshots ORDER BY plate_text`,
  )
  const rowOf = (plate: string) => rows.find((row) => row.plate === plate) ?? { id: '', sha256: '' }
  return { gate: rowOf('iq70otx'), left: rowOf('qxoi104'), right: rowOf('0qio187') }
}

test('image gives the bytes that were stored, or the part of a picture that a row is about', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  expect((await place.ingest([GATE, TWO])).exitCode).toBe(0)
  const { gate, left, right } = await rowsOf(place)
  const file = await readFile(join(place.folder, GATE))
  expect(await bytesOf(place, gate.sha256.toUpperCase())).toEqual(file)
  expect(await bytesOf(place, gate.id)).toEqual(file)

  const written = await place.run(['image', gate.id, '-o', 'a.jpg'])
  const facts = `${file.length.toLocaleString('en-US')} bytes, image/jpeg, SHA-256 ${gate.sha256}`
  expect(written).toMatchObject({ exitCode: 0, stdout: '', stderr: `a.jpg: ${facts}\n` })
  expect(await readFile(join(place.folder, 'a.jpg'))).toEqual(file)
  expect((await stat(join(place.folder, 'a.jpg'))).mode & 0o777).toBe(0o600)

  const plate = await place.run(['image', right.id, '--crop', 'plate', '-o', 'plate.jpg'])
  expect(plate.stderr).toMatch(/image\/jpeg, 226 x 50 pixels: the plate 0qio187 on image bedefe8e/)
  const size = { format: 'jpeg', width: 226, height: 50 }
  expect(await sharp(join(place.folder, 'plate.jpg')).metadata()).toMatchObject(size)
  const vehicle = await bytesOf(place, gate.sha256, '--crop', 'vehicle')
  expect(await sharp(vehicle).metadata()).toMatchObject({ width: 978 - 302, height: 740 - 275 })

  const several = await place.run(['image', left.sha256, '--crop', 'plate', '-o', 'b.jpg'])
  expect(several).toMatchObject({ exitCode: 1, stdout: '' })
  expect(several.stderr).toMatch(
    /^There are several plates on image bedefe8e.* \[several_plates\]\n/,
  )
  const told = `: qxoi104 (row ${left.id}), 0qio187 (row ${right.id}). `
  expect(several.stderr).toContain(told)
})

test('image says why it cannot give an image, and what to do', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  expect((await place.ingest([GATE, 'samples/empty-car-park.jpg'])).exitCode).toBe(0)
  const { gate } = await rowsOf(place)
  const empty = sha256Of(await readFile(join(place.folder, 'samples/empty-car-park.jpg')))
  const { bucket = '', client } = place.bucket ?? {}
  const Key = `vehicle-snapshots/${gate.sha256.slice(0, 2)}/${gate.sha256}.jpg`
  await client?.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'other bytes' }))

  const [bomb = { id: '' }] = await place.query<{ id: string }>(
    `INSERT INTO vehicle_snapshots (bbox, image_data)
     VALUES ('{"xmin":1,"ymin":1,"xmax":9,"ymax":9}', $1) RETURNING id`,
    [pngBomb()],
  )

  const none = { S3_BUCKET: '' }
  const gone = { DATABASE_URL: 'postgresql://nobody@localhost:1/gone' }
  const cases: [args: string[], exitCode: number, said: RegExp, env?: Record<string, string>][] = [
    [[gate.id], 1, /s3:\S+ holds other bytes than were stored\. \[image_lost\]\n.*verify --repair/],
    [[empty, '--crop', 'plate'], 1, /There is no row of image .* \[no_box\]\n.*leave --crop out/],
    [[bomb.id, '--crop', 'plate'], 1, /it has 50000 x 50000 pixels; .* \[undecodable\]\n/],
    [['a'.repeat(64)], 1, /The database has no image a{64}\. \[not_known\]\n.*plates/],
    [['nhk552'], 2, /<id\|sha256> must be .*: nhk552\n/],
    [[gate.id, '--crop', 'car'], 2, /--crop must be plate or vehicle\./],
    [[empty, '-o', 'none/a.jpg'], 2, /-o none\/a\.jpg cannot be written: no such file/],
    [[gate.id], 2, /S3_BUCKET is not set\./, none],
    [[gate.id], 3, /\[database_down\]/, gone],
  ]
  const ran = cases.map(async ([args, exitCode, said, env = {}]) => {
    const result = await place.run(['image', ...args], { env })
    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(said) })
  })
  await Promise.all(ran)
})

test('on the embedded database image gives the bytes that it keeps, and url says that they have no link', async () => {
  await using place = await createWorkplace({ database: 'embedded' })
  expect((await place.ingest([GATE])).exitCode).toBe(0)
  const { gate } = await rowsOf(place)
  expect(sha256Of(await bytesOf(place, gate.id))).toBe(gate.sha256)
  const { exitCode, stdout, stderr } = await place.run(['url', gate.sha256])
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    `No object in S3 is known of image ${gate.sha256}. [no_object]\nOnly objects in S3 have links; plate-snapshot image writes the bytes.\n`,
  )
})

test('where no database is yet, image says so and makes none', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  const { exitCode, stderr } = await place.run(['image', 'a'.repeat(64)])
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining('There is no database yet')])
  await expect(stat(join(place.folder, 'plate-snapshot-data'))).rejects.toThrow('ENOENT')
})
