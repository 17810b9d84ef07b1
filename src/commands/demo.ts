import { createReadStream } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { readImageList } from '../lists/text-list.ts'
import { loadSampleAnswers } from '../sandbox/sample-answers.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import type { Shell } from '../shell.ts'
import { openDatabase } from '../stores.ts'
import { tableLines } from '../table.ts'
import { ingest } from './ingest.ts'

/** The demo keeps everything here and touches no other database. */
const FOLDER = './plate-snapshot-demo'
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const SAMPLES = join(PACKAGE, 'samples')
const LIST = join(PACKAGE, 'images.txt.example')
const THRESHOLD = 0.5

const REPORT = {
  output: join(FOLDER, 'report.html'),
  pictures: 200,
  picturesBy: 'newest',
} as const

const ROWS = `
  SELECT plate_text AS plate, to_char(plate_confidence, 'FM0.000') AS confidence, meta->>'vehicle_type' AS vehicle,
         concat_ws(' ', makes_models->0->>'make', makes_models->0->>'model') AS model,
         colors->0->>'color' AS color, meta->'region'->>'code' AS region, meta->>'source' AS image
  FROM vehicle_snapshots ORDER BY image, result_index`
const HEADS = ['plate', 'confidence', 'vehicle', 'model', 'color', 'region', 'image'] as const
type Row = Record<(typeof HEADS)[number], string | null>

/** `plate-snapshot demo`: the ordinary ingest over the sample pictures, against the sandbox. @returns the exit code */
export async function demo(_given: unknown, shell: Shell): Promise<number> {
  const pictures = await Array.fromAsync(readImageList(createReadStream(LIST)))
  const lines = pictures.map(({ text }) => `${relative('', join(PACKAGE, text))}\n`)
  const sandbox = await startSandbox({ answers: await loadSampleAnswers(SAMPLES) })
  // No setting of the user's own is passed on, and no proxy stands between this process and itself.
  Object.assign(shell.env, { NO_PROXY: '*', no_proxy: '*' })
  const env = {
    PLATE_API_KEY: 'sandbox',
    SNAPSHOT_API_URL: sandbox.url,
    DATABASE_URL: `pglite:${FOLDER}`,
    STORE_IMAGES: 'db',
    XDG_STATE_HOME: resolve(FOLDER, 'state'),
  }
  try {
    shell.out(
      `${pictures.length} sample pictures, confidence threshold ${THRESHOLD}, answers from the sandbox:`,
    )
    const options = { images: '-', delay: 0, mmc: true, confidenceThreshold: THRESHOLD }
    const exitCode = await ingest(
      options,
      { ...shell, env, input: Readable.from(lines) },
      ({ database }) => `Rows and pictures go to ${database.name}.`,
    )
    if (exitCode !== 0) return exitCode
  } finally {
    await sandbox.close()
  }

  const database = await openDatabase({ kind: 'embedded', folder: FOLDER })
  try {
    const rows = await database.query<Row>(ROWS)
    const cells = rows.map((row) => HEADS.map((head) => row[head] ?? ''))
    shell.out('')
    for (const line of tableLines(HEADS, cells)) shell.out(line)
    const { writeReport } = await import('../report/write-report.ts')
    await writeReport(database, async () => undefined, REPORT, shell)
  } finally {
    await database.close()
  }
  shell.out(`
These answers came from the sandbox, a stand-in for the Plate Recognizer Snapshot API on this machine: nothing left it
and nothing was billed. The rows and pictures are in ${FOLDER}; run the demo again and every image is known.

Open ${REPORT.output} in a browser: the pictures with their plates, and what the figures come to.

With an account at https://platerecognizer.com, the real API:
  PLATE_API_KEY=your-token npx plate-snapshot --images images.txt`)
  return 0
}
