import { nameOf, type S3Object } from '../db/snapshots.ts'
import { counted } from '../run-report.ts'
import { type Entry, entryOf } from './entries.ts'
import { confirmStored } from './mend.ts'
import type { Finding, Mended } from './problem.ts'
import { restoreBytes, restoreObject } from './restore.ts'
import type { Verification } from './verification.ts'

type Fault = Pick<Finding, 'code' | 'what'>

/** Is the image where its ledger entry says that it is, and whole? */
export async function verifyStored(entry: Entry, verification: Verification): Promise<void> {
  const { isStored, isAnsweredHere, hasResponse } = entry
  if (!isStored && isAnsweredHere && hasResponse) return verifyUnconfirmed(entry, verification)
  // A run is at work on it, or none got as far as to store it.
  if (!isStored) return
  const about = { sha256: entry.sha256, source: entry.source ?? undefined }
  const object = objectOf(entry)
  const bytesWrong = bytesFault(entry)
  if (bytesWrong !== undefined) {
    const mend = () => restoreBytes(entry, isInDatabase(entry), verification)
    await verification.report({ ...about, ...bytesWrong, mend })
  }
  if (object === undefined) return
  const objectWrong = await objectFault(entry, object, verification)
  if (objectWrong === undefined || (await hasMoved(entry, verification))) return
  const mend = () => restoreObject(entry, object, verification)
  const finding = { ...about, object, ...objectWrong }
  const isHidden = objectWrong.code === 'object_refused'
  await verification.report(isHidden ? finding : { ...finding, mend })
}

/** Answered, and not confirmed stored: an image is stored, and that confirmed, before it is looked up. */
async function verifyUnconfirmed(entry: Entry, verification: Verification): Promise<void> {
  const { sha256 } = entry
  const object = objectOf(entry)
  await verification.report({
    code: 'not_stored',
    sha256,
    source: entry.source ?? undefined,
    object,
    what: 'It is answered, and nothing says that it is stored.',
    async mend() {
      const isThere = object
        ? verification.objects && !(await objectFault(entry, object, verification))
        : !bytesFault(entry)
      const mended: Mended = isThere
        ? { isMended: true, said: 'It is there, which is noted now.' }
        : object
          ? await restoreObject(entry, object, verification)
          : await restoreBytes(entry, isInDatabase(entry), verification)
      if (mended.isMended) await confirmStored(verification.database, sha256)
      return mended
    },
  })
}

function objectOf({ bucket, key }: Entry): S3Object | undefined {
  return bucket !== null && key !== null ? { bucket, key } : undefined
}

/** Must the database hold its bytes? Of what the older tool stored that is not known. */
function isInDatabase(entry: Entry): boolean {
  const { isStored, isAnsweredHere, hasResponse } = entry
  return objectOf(entry) === undefined && (isAnsweredHere || (isStored && !hasResponse))
}

function bytesFault(entry: Entry): Fault | undefined {
  const { copies, withoutBytes, wrongSize, damaged, size } = entry
  if (wrongSize > 0) {
    const what = `${copiesOf(wrongSize, copies)} another size than ${size} bytes.`
    return { code: 'wrong_size', what }
  }
  if ((damaged ?? 0) > 0) {
    return { code: 'damaged_bytes', what: `${copiesOf(damaged ?? 0, copies)} other bytes.` }
  }
  if (!isInDatabase(entry) || (copies > 0 && withoutBytes === 0)) return undefined
  const what =
    copies === 0 ? 'The database holds no bytes of it.' : `${copiesOf(withoutBytes, copies)} none.`
  return { code: 'missing_bytes', what }
}

function copiesOf(n: number, all: number): string {
  return `Of ${counted(all, 'place')} in the database that should hold its bytes ${n} ${n === 1 ? 'holds' : 'hold'}`
}

/** Does the object hold the image, as far as its server tells without sending it, or with its bytes read? */
export async function objectFault(
  { sha256, size }: Pick<Entry, 'sha256' | 'size'>,
  object: S3Object,
  { objects, mayReadData, counts }: Verification,
): Promise<Fault | undefined> {
  if (objects === undefined) return undefined
  const name = nameOf(object)
  counts.objects += 1
  const look = await objects.look(object)
  if (look.kind === 'missing') return { code: 'missing_object', what: `${name} is not there.` }
  if (look.kind === 'refused') return { code: 'object_refused', what: look.said }
  if (size !== null && look.size !== size) {
    return { code: 'wrong_size', what: `${name} has ${look.size} bytes instead of ${size}.` }
  }
  if (look.sha256 !== undefined && look.sha256 !== sha256) {
    return { code: 'wrong_checksum', what: `${name} has another SHA-256, ${look.sha256}.` }
  }
  if (!mayReadData) {
    if (look.sha256 === undefined) counts.unread += 1
    return undefined
  }
  const digest = await objects.digest(object)
  if (digest.kind === 'missing') return { code: 'missing_object', what: `${name} is not there.` }
  if (digest.kind === 'refused') return { code: 'object_refused', what: digest.said }
  if (digest.sha256 === sha256) return undefined
  return { code: 'damaged_object', what: `${name} holds other bytes, of SHA-256 ${digest.sha256}.` }
}

/** Has a run, or a purge, changed what the entry says since it was read? Then the fault is none. */
async function hasMoved(entry: Entry, { database }: Verification): Promise<boolean> {
  const now = await entryOf(database, false, entry.sha256)
  return now === undefined || now.bucket !== entry.bucket || now.key !== entry.key
}
