import type { FileHandle } from 'node:fs/promises'
import type { Database } from '../db/database.ts'
import { unlessAborted } from '../db/pages.ts'
import { openDecoder } from '../decoding/decoder.ts'
import { localZone } from '../local-time.ts'
import type { ReportOptions } from '../viewing-options.ts'
import { writeWhole } from '../write-file.ts'
import { type Figures, readFigures } from './figures.ts'
import { AT_ONCE, type OpenObjects, readCards } from './gallery.ts'
import { createPage } from './markup.ts'

/** What was written. */
export interface Report {
  figures: Figures
  /** Cards with their picture. */
  pictures: number
  /** Pictures that could not be had. */
  lost: Missing
  /** Pictures that are there and cannot be decoded. */
  undecodable: Missing
  bytes: number
}

interface Missing {
  pictures: number
  /** Why, for the first of them. */
  first?: { source: string; why: string }
}

/**
 * Writes the report to `options.output`, as it grows: the pictures are never all in memory.
 * @param decoder closed with the report
 * @throws {IngestError} when the file cannot be written, the database is down, or `signal` aborts
 */
export async function writeReport(
  database: Database,
  openObjects: OpenObjects,
  options: ReportOptions,
  { version, signal }: { version: string; signal: AbortSignal },
  decoder = openDecoder({ atOnce: AT_ONCE }),
): Promise<Report> {
  const { output, ...wanted } = options
  const lost: Missing = { pictures: 0 }
  const undecodable: Missing = { pictures: 0 }
  let pictures = 0
  let bytes = 0
  const write = async (file: FileHandle, text: string) => {
    await file.appendFile(text)
    bytes += Buffer.byteLength(text)
  }
  const figures = await unlessAborted(signal, async () => {
    const madeAt = new Date()
    const counted = await readFigures(database, wanted, localZone())
    const facts = { databaseName: database.name, version, madeAt, wanted }
    const page = await createPage(counted, facts)
    await writeWhole(output, '--output', async (file) => {
      await write(file, page.head)
      const ids = counted.pictureIds
      for await (const cards of readCards(database, ids, openObjects, decoder, signal)) {
        for (const card of cards) {
          await write(file, page.card(card))
          if (card.shown !== undefined) {
            pictures += 1
            continue
          }
          const missing = card.isLost ? lost : undecodable
          missing.pictures += 1
          const { source, id } = card.picture
          missing.first ??= { source: source ?? `row ${id}`, why: card.why }
        }
      }
      await write(file, page.foot)
    })
    return counted
  }).finally(() => decoder.close())
  return { figures, pictures, lost, undecodable, bytes }
}
