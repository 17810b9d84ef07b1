import { DatabaseError, systemCodeOf } from '../errors.ts'
import { type RetryPolicy, withRetry } from '../retry.ts'
import type { Database, Queryable } from './database.ts'
import { finiteAge, type ImageKind, imageKinds, matching, type PurgeFilter } from './purge-match.ts'
import {
  DELETE,
  FAILURES,
  HELD_SOURCES,
  LOCK_SOURCES,
  OBJECTS,
  OLD_FAILURES,
  OTHER_OWNERS,
} from './purge-statements.ts'
import type { S3Object } from './snapshots.ts'

/** What went. */
export interface Purged {
  images: number
  rows: number
  objects: number
  /** Paths and URLs that held the images. */
  sources: number
  /** Sources that had failed when last tried. */
  failures: number
  /** Of the images. */
  bytes: number
  tombstones: number
  /** When the first and the last of them were stored or asked about first. */
  oldest: Date | undefined
  newest: Date | undefined
}

export const NOTHING: Purged = {
  ...{ images: 0, rows: 0, objects: 0, sources: 0, failures: 0, bytes: 0, tombstones: 0 },
  oldest: undefined,
  newest: undefined,
}

/** Both together. */
export function sumOf(one: Purged, other: Purged): Purged {
  const moments = [one.oldest, one.newest, other.oldest, other.newest]
  return {
    images: one.images + other.images,
    rows: one.rows + other.rows,
    objects: one.objects + other.objects,
    sources: one.sources + other.sources,
    failures: one.failures + other.failures,
    bytes: one.bytes + other.bytes,
    tombstones: one.tombstones + other.tombstones,
    ...ends(moments.filter((moment) => moment !== undefined)),
  }
}

/** The first and the last of some moments. */
function ends(moments: readonly Date[]): Pick<Purged, 'oldest' | 'newest'> {
  const sorted = moments.toSorted((a, b) => a.getTime() - b.getTime())
  return { oldest: sorted[0], newest: sorted.at(-1) }
}

export interface Purging {
  filter: PurgeFilter
  /** Deletes objects for good; called while nobody can claim their images. */
  remove: (objects: readonly S3Object[]) => Promise<void>
  /** Does a tombstone keep each image from coming back? */
  leavesTombstones: boolean
}

interface FoundImage {
  key: string
  age: Date | null
  size: number
}

type NamedObject = S3Object & { sha256: string | null }

/** Images of one transaction: runs that meet one of them wait for its end. */
const MOST_IMAGES = 250
/** Others are at work on the same sources for a moment: nothing is waited for while images are locked. */
const AGAIN: RetryPolicy = { retries: 8, firstMs: 50, factor: 2, longestMs: 2_000 }
const NEVER = new AbortController().signal

/** Purges all that the filter takes, a batch at a time; each batch is gone for good when it is told of. */
export async function* purgeImages(
  database: Database,
  purging: Purging,
): AsyncGenerator<Purged, void> {
  for (const kind of imageKinds(database)) {
    for (let after: string | undefined, isOver = false; !isOver; ) {
      const from: string | undefined = after
      const purgeNext = () =>
        database.transaction((queryable) => purgeBatch(queryable, kind, from, purging))
      const batch = await withRetry(purgeNext, AGAIN, isContended, NEVER)
      after = batch?.last
      isOver = batch === undefined
      if (batch !== undefined) yield batch.purged
    }
  }
  const { before, cameras, plates } = purging.filter
  if (before === undefined || cameras !== undefined || plates !== undefined) return
  const gone = await database.query<{ n: number }>(OLD_FAILURES, [before.toISOString()])
  yield { ...NOTHING, failures: gone[0]?.n ?? 0 }
}

/** Lets an embedded database use the space again; a server does so by itself. */
export async function reclaimSpace(database: Database): Promise<void> {
  if (!database.isEmbedded) return
  await database.query('VACUUM plate_lookups, vehicle_snapshots, image_sources, image_failures')
}

/** Somebody else holds what was to be locked (lock_not_available), or waits for it in a ring (deadlock_detected). */
function isContended(error: Error): boolean {
  if (!(error instanceof DatabaseError)) return false
  return ['55P03', '40P01'].includes(systemCodeOf(error.cause) ?? '')
}

/** The next images after a key; undefined when there is none. */
async function purgeBatch(
  queryable: Queryable,
  kind: ImageKind,
  after: string | undefined,
  { filter, remove, leavesTombstones }: Purging,
): Promise<{ last: string; purged: Purged } | undefined> {
  const { sql, values } = matching(kind, filter, 2)
  const next = `SELECT ${kind.key}::text AS key FROM ${kind.from}
    WHERE ($1::${kind.keyType} IS NULL OR ${kind.key} > $1::${kind.keyType}) AND ${kind.isOne} AND ${sql} AND NOT ${kind.isTaken}
    ORDER BY ${kind.key} LIMIT ${MOST_IMAGES}`
  const wanted = await queryable.query<{ key: string }>(next, [after ?? null, ...values])
  const last = wanted.at(-1)?.key
  if (last === undefined) return undefined

  const locked = await queryable.query<{ key: string }>(kind.lock, [keysOf(wanted)])
  // They may have changed before they were locked.
  const still = `SELECT ${kind.key}::text AS key, ${finiteAge(kind)} AS age, ${kind.size} AS size FROM ${kind.from}
    WHERE ${kind.key} = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)::${kind.keyType}))
      AND ${sql} AND NOT ${kind.isTaken}`
  const found = await queryable.query<FoundImage>(still, [keysOf(locked), ...values])
  const isBare = kind.keyType === 'uuid'
  const these = isBare ? ['[]', keysOf(found)] : [keysOf(found), '[]']
  await queryable.query(LOCK_SOURCES, these.slice(0, 1))
  const failed = await queryable.query<{ source: string }>(FAILURES, these)
  const gone = await withoutHeld(queryable, failed, these)

  const objects = await objectsOf(queryable, these)
  // Before the commit: an image is never gone from here while its object is there.
  await remove(objects)
  const entered = kind.hasEntry || isBare ? these[0] : keysOf(locked)
  const deleted = await queryable.query<Purged>(DELETE, [
    ...these,
    entered,
    JSON.stringify(gone),
    String(leavesTombstones),
  ])
  const ages = found.flatMap(({ age }) => (age === null ? [] : [age]))
  const facts = { images: found.length, objects: objects.length, ...ends(ages) }
  const bytes = found.reduce((sum, { size }) => sum + size, 0)
  return { last, purged: { ...NOTHING, ...deleted[0], ...facts, bytes } }
}

function keysOf(images: readonly { key: string }[]): string {
  return JSON.stringify(images.map(({ key }) => key))
}

/** Failed sources that no other image is known from. */
async function withoutHeld(
  queryable: Queryable,
  failed: readonly { source: string }[],
  these: readonly string[],
): Promise<string[]> {
  const sources = failed.map(({ source }) => source)
  // Looked for through all sources: only where there is something to look for.
  if (sources.length === 0) return []
  const values = [these[0], JSON.stringify(sources)]
  const held = await queryable.query<{ source: string }>(HELD_SOURCES, values)
  const isHeld = new Set(held.map(({ source }) => source))
  return sources.filter((source) => !isHeld.has(source))
}

/** `vehicle-snapshots/<first two digits>/<sha256>.<extension>`, as this tool names the object of that image. */
function isOwn({ sha256, key }: NamedObject): boolean {
  return sha256 !== null && key.startsWith(`vehicle-snapshots/${sha256.slice(0, 2)}/${sha256}.`)
}

/** The objects of a batch. One that another image names too stays: names like this tool's own are no other image's. */
async function objectsOf(queryable: Queryable, these: readonly string[]): Promise<S3Object[]> {
  const named = await queryable.query<NamedObject>(OBJECTS, these)
  const foreign = named.filter((object) => !isOwn(object))
  const others =
    foreign.length === 0
      ? []
      : await queryable.query<S3Object>(OTHER_OWNERS, [...these, JSON.stringify(foreign)])
  const isOthers = new Set(others.map(({ bucket, key }) => `${bucket}/${key}`))
  const own = new Map(named.map(({ bucket, key }) => [`${bucket}/${key}`, { bucket, key }]))
  return [...own].flatMap(([name, object]) => (isOthers.has(name) ? [] : [object]))
}
