import type { Database } from '../db/database.ts'
import type { Decoder } from '../decoding/decoder.ts'
import type { Shown } from '../decoding/thumbnails.ts'
import { ImageError, StorageError } from '../errors.ts'
import type { Objects } from '../storage/objects.ts'
import { type FoundBytes, storedBytes, uncheckedBytes } from '../stored-bytes.ts'
import { type Picture, readPictures } from './pictures.ts'

/** A row with its picture, or with the reason why there is none. */
export type Card = { picture: Picture } & Outcome

type Outcome = { shown: Shown } | { shown: undefined; why: string; isLost: boolean }

/** The image store, when there is one; asked for when the first image needs it. */
export type OpenObjects = () => Promise<Objects | undefined>

/** Rows read at a time. */
const PAGE = 100
/** Images at work at once: each may be 20 MB, and unpacked many times that. */
export const AT_ONCE = 4

/**
 * The cards of these rows, in their order, a few at a time: neither rows nor pictures are gathered.
 * @throws {IngestError} when the database is down; an image store that is away costs the pictures only
 */
export async function* readCards(
  database: Database,
  ids: readonly string[],
  openObjects: OpenObjects,
  decoder: Decoder,
  signal: AbortSignal,
): AsyncGenerator<Card[]> {
  const read = createReader(database, openObjects, signal)
  for (let from = 0; from < ids.length; from += PAGE) {
    const images = byImage(await readPictures(database, ids.slice(from, from + PAGE)))
    for (let first = 0; first < images.length; first += AT_ONCE) {
      signal.throwIfAborted()
      const cards = await Promise.all(
        images.slice(first, first + AT_ONCE).map(async (pictures) => {
          const outcomes = await outcomesOf(pictures, read, decoder)
          return pictures.flatMap((picture, n) => {
            const outcome = outcomes[n]
            return outcome === undefined ? [] : [{ picture, ...outcome }]
          })
        }),
      )
      yield cards.flat()
    }
  }
}

/** Neighbors that show the same image. */
function byImage(pictures: readonly Picture[]): Picture[][] {
  const images: Picture[][] = []
  for (const picture of pictures) {
    const last = images.at(-1)
    const isSame = picture.sha256 !== undefined && picture.sha256 === last?.[0]?.sha256
    if (isSame) last?.push(picture)
    else images.push([picture])
  }
  return images
}

async function outcomesOf(
  pictures: readonly Picture[],
  read: (picture: Picture) => Promise<FoundBytes>,
  decoder: Decoder,
): Promise<Outcome[]> {
  const [first] = pictures
  if (first === undefined) return []
  const got = await read(first)
  const none = (why: string, isLost: boolean) =>
    pictures.map(() => ({ shown: undefined, why, isLost }))
  if (got.bytes === undefined) return none(got.why, true)
  try {
    return (await decoder.show(got.bytes, pictures)).map((shown) => ({ shown }))
  } catch (thrown) {
    if (!(thrown instanceof ImageError)) throw thrown
    return none(thrown.message, false)
  }
}

/** Reads images; a store that was found to be away is not asked again. */
function createReader(database: Database, openObjects: OpenObjects, signal: AbortSignal) {
  let away: string | undefined
  let opening: Promise<Objects | undefined> | undefined

  /** An older tool's row may have bytes that nobody hashed. */
  function find(picture: Picture, objects?: Objects): Promise<FoundBytes> {
    const { id, sha256, size, object } = picture
    if (sha256 === undefined) return uncheckedBytes({ id, object }, database, objects)
    return storedBytes({ sha256, size, object }, database, objects)
  }

  return async (picture: Picture): Promise<FoundBytes> => {
    const got = await find({ ...picture, object: undefined })
    if (got.bytes !== undefined || picture.object === undefined) return got
    if (away !== undefined) return { bytes: undefined, why: away }
    try {
      opening ??= openObjects()
      return await find(picture, await opening)
    } catch (thrown) {
      signal.throwIfAborted()
      if (!(thrown instanceof StorageError)) throw thrown
      if (thrown.scope === 'run') away = thrown.message
      return { bytes: undefined, why: thrown.message }
    }
  }
}
