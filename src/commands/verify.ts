import { requireThere } from '../db/schema.ts'
import { ConfigError, InterruptedError, messageOf } from '../errors.ts'
import { readReach } from '../options.ts'
import { stopLines } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import { openStoredObjects } from '../stored-bytes.ts'
import { openDatabase } from '../stores.ts'
import { exitCodeOf, stoppedBy } from '../tally.ts'
import { createBytes } from '../verify/bytes.ts'
import { verifyLedger } from '../verify/ledger.ts'
import { verifyBucket } from '../verify/orphans.ts'
import {
  type Counts,
  countsLines,
  type Finding,
  type Mended,
  problemLine,
  problemRecord,
} from '../verify/problem.ts'
import { verifyRows } from '../verify/rows.ts'
import type { Verification } from '../verify/verification.ts'
import { requireSettings } from './settings.ts'

/** Entries are looked at several at once. */
const CONNECTIONS = 8

interface Given {
  repair?: boolean
  readData?: boolean
  json?: boolean
}

/**
 * `plate-snapshot verify`: is everything that the ledger, the rows and the storage say of each other true? With
 * `--repair` it mends what can be mended for nothing; it never looks up, and never deletes. @returns the exit code
 */
export async function verify(given: Given, shell: Shell): Promise<number> {
  const { options: reach, problems } = readReach(given)
  const settings = await requireSettings(shell.env, { api: false, storage: true }, problems)
  if (reach === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, {
    concurrency: CONNECTIONS,
    mayCreate: false,
  })
  try {
    await requireThere(database)
    const isInS3 = settings.storage.kind === 's3' || (await database.query(HAS_OBJECT)).length > 0
    const objects = isInS3 ? await openStoredObjects(shell.env, shell.signal) : undefined
    try {
      const inDatabase = settings.storage.kind === 'db' ? ['the database (image_data)'] : []
      const where = [...inDatabase, ...(objects === undefined ? [] : [objects.name])].join(' and ')
      shell.say(`Database: ${database.name}\nImages: ${where}`)
      const bytes = createBytes(database, objects, reach, shell.signal)
      return await verifyAll({ database, objects, bytes }, given, shell)
    } finally {
      objects?.close()
    }
  } finally {
    await database.close()
  }
}

async function verifyAll(
  opened: Pick<Verification, 'database' | 'objects' | 'bytes'>,
  given: Given,
  shell: Shell,
): Promise<number> {
  const { signal } = shell
  const counts: Counts = { images: 0, objects: 0, rows: 0, problems: 0, repaired: 0, unread: 0 }
  const report = reporterOf(counts, given, shell)
  const mayReadData = given.readData === true
  const reason = await endOf({ ...opened, mayReadData, counts, report, signal })
  await opened.bytes.close()

  const { unread, ...told } = counts
  const stopped = reason === undefined ? null : (stoppedBy(reason) ?? 'internal')
  if (given.json) shell.out(JSON.stringify({ event: 'verified', ...told, unread, stopped }))
  else for (const line of countsLines(counts)) shell.out(line)
  if (reason !== undefined) shell.say(stopLines(reason))
  return exitCodeOf({ failed: counts.problems - counts.repaired }, reason, shell.stoppedBy())
}

/** @returns what ended it early; undefined when everything was looked at */
async function endOf(verification: Verification): Promise<unknown> {
  const { objects, signal } = verification
  try {
    if (objects === undefined) await reportUnchecked(verification)
    await verifyLedger(verification)
    await verifyRows(verification)
    if (objects !== undefined) await verifyBucket(objects, verification)
    return undefined
  } catch (thrown) {
    return signal.aborted ? new InterruptedError({ cause: thrown }) : thrown
  }
}

/** Mends a finding if that is wanted, and tells of it as soon as that is known. */
function reporterOf(counts: Counts, { repair, json }: Given, shell: Shell) {
  const tell = (finding: Finding, mended?: Mended) => {
    const record = problemRecord(finding, mended)
    counts.problems += 1
    if (record.repaired) counts.repaired += 1
    shell.out(json ? JSON.stringify(record) : problemLine(record))
  }
  return async (finding: Finding) => {
    if (!repair || finding.mend === undefined) return tell(finding)
    try {
      tell(finding, await finding.mend())
    } catch (thrown) {
      tell(finding, { isMended: false, said: `It was not repaired: ${messageOf(thrown)}` })
      throw thrown
    }
  }
}

const OBJECTS = 'SELECT count(*)::int AS n FROM plate_lookups WHERE s3_key IS NOT NULL'
const HAS_OBJECT = 'SELECT 1 FROM plate_lookups WHERE s3_key IS NOT NULL LIMIT 1'

async function reportUnchecked({ database, report }: Verification): Promise<void> {
  const [row] = await database.query<{ n: number }>(OBJECTS)
  if (row === undefined || row.n === 0) return
  const what = `The ledger knows ${row.n} images in S3, and S3 is not set up: they were not looked at.`
  await report({ code: 'objects_unchecked', what })
}
