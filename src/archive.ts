import { lstat } from 'node:fs/promises'
import { placeIn } from './archive-folder.ts'
import { MOVE_STEPS, type MoveSteps } from './copy-file.ts'
import { told } from './die-at.ts'
import { ConfigError, FetchError, messageOf } from './errors.ts'
import type { RunSignals } from './look-up-plates.ts'
import { moveFile } from './move-file.ts'
import type { Archiving, Ingested } from './outcome.ts'
import type { Deps, Line } from './pipeline.ts'
import { requireNotPlanted } from './planted.ts'
import { schemeOf } from './source.ts'

/** Files that are told of one by one; the rest are only counted. */
const MOST_TOLD = 5

type IngestOne = (line: Line, signals: RunSignals) => Promise<Ingested>

/** What archiving needs beside the folder. */
export interface ArchiveOptions {
  onNotice: (text: string) => void
  /** Told of each step that is reached; only for tests. */
  reached?: ((step: string) => void) | undefined
}

/**
 * The same, and then moves the image's file into the archive: its rows and its object are committed by then. That it
 * cannot be moved changes nothing about the image; the next run tries again.
 */
export function withArchive(
  ingestOne: IngestOne,
  archive: string,
  { onNotice, reached }: ArchiveOptions,
): IngestOne {
  const steps: MoveSteps = reached
    ? {
        link: told('link', MOVE_STEPS.link, reached),
        unlink: told('unlink', MOVE_STEPS.unlink, reached),
      }
    : MOVE_STEPS
  let left = MOST_TOLD
  const tell = (text: string) => {
    if (left > 0) onNotice(left === 1 ? `${text} Others are only counted.` : text)
    left -= 1
  }

  async function move(
    line: Line,
    { image, isUnchanged }: Ingested,
  ): Promise<Archiving | undefined> {
    const seenAs = isUnchanged ? line.remembered?.seenAs : image.file
    const place = isLocal(line) ? placeIn(archive, line) : undefined
    if (seenAs === undefined || place === undefined) return undefined
    const { text: path, source } = line
    try {
      const moved = await moveFile({ path, seenAs, sha256: image.sha256 }, place, steps)
      if (moved === 'changed')
        tell(`${source} changed after it was read: it stays for the next run.`)
      return moved === 'moved' ? 'moved' : undefined
    } catch (thrown) {
      tell(`${source} could not be moved into ${archive}: ${messageOf(thrown)}.`)
      return 'failed'
    }
  }

  return async (line, signals) => {
    const result = await ingestOne(line, signals)
    return { ...result, archiving: await move(line, result) }
  }
}

/** In a dry run nothing is moved, but told of, each file once: the places take about 100 bytes an image. */
export function withoutMoving(ingestOne: IngestOne, archive: string): IngestOne {
  const places = new Set<string>()
  return async (line, signals) => {
    const result = await ingestOne(line, signals)
    const place = isLocal(line) ? placeIn(archive, line) : undefined
    if (place === undefined || places.has(place)) return result
    places.add(place)
    return { ...result, archiving: 'to move' }
  }
}

/**
 * Fetching that finds a file in the archive when it is not where its line says: the line stands in the list twice, or the
 * run that moved it was killed before it could say so.
 * @param fetchMoved reads whatever is there: of the archive, `--root` says nothing
 */
export function findingMoved(
  fetchImage: Deps['fetchImage'],
  fetchMoved: Deps['fetchImage'],
  archive: string,
): Deps['fetchImage'] {
  return async (line, signal) => {
    try {
      return await fetchImage(line, signal)
    } catch (thrown) {
      const isMissing = thrown instanceof FetchError && thrown.code === 'file_not_found'
      const place = isMissing ? placeIn(archive, line) : undefined
      if (place === undefined || !(await isFile(place))) throw thrown
      const image = await fetchMoved({ ...line, text: place }, signal)
      return image && { ...image, source: line.source, file: undefined }
    }
  }
}

/** @throws {ConfigError} when somebody else made the folder where everybody may write, and would have the images */
export async function requireOwnArchive(archive: string): Promise<void> {
  try {
    await requireNotPlanted(archive)
  } catch (thrown) {
    throw new ConfigError([{ name: '--archive', message: `cannot be used: ${messageOf(thrown)}.` }])
  }
}

function isLocal({ text }: Line): boolean {
  return schemeOf(text) === undefined
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile()
  } catch {
    return false
  }
}
