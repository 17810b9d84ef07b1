import { withoutMoving } from './archive.ts'
import type { Settings } from './config.ts'
import { createAnswers, type LostBefore } from './db/answers.ts'
import { requireSchema } from './db/schema.ts'
import { databaseIdOf } from './db/spooled-answers.ts'
import { isGivenUp } from './given-up.ts'
import { createDispatcher } from './http.ts'
import { createBudget } from './look-up-plates.ts'
import type { IngestOptions } from './options.ts'
import { previewImage } from './preview.ts'
import { guardOfImages } from './reach.ts'
import { createFetch, createMemory } from './reading.ts'
import { readSpool } from './spool.ts'
import { openDatabase } from './stores.ts'
import type { Opened } from './wiring.ts'

/** Opens what a dry run needs: nothing that writes, and no key. */
export async function openPreview(settings: Settings, options: IngestOptions): Promise<Opened> {
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireSchema(database)
    const spooled = await readSpool(settings.stateFolder, await databaseIdOf(database))
    const paid = spooled.flatMap(({ answers }) => answers.map(({ sha256 }) => sha256))
    const dispatcher = createDispatcher(options.fetchTimeout * 1_000, {
      connections: options.concurrency,
      guard: guardOfImages(options),
    })
    const deps = {
      fetchImage: createFetch(options, dispatcher),
      stateOf: createAnswers(database).stateOf,
      force: options.force,
      isGivenUp: (lost: LostBefore) => isGivenUp(options, lost),
      budget: createBudget(options.maxLookups),
      seen: new Set<string>(),
      paid: new Set(paid),
    }
    const preview: Opened['ingestOne'] = (line, signals) => previewImage(line, deps, signals)
    const { archive } = options
    return {
      database,
      images: undefined,
      spool: undefined,
      inFlight: options.concurrency,
      recall: createMemory(database, options),
      ingestOne: archive === undefined ? preview : withoutMoving(preview, archive),
      async close() {
        await dispatcher.destroy()
        await database.close()
      },
    }
  } catch (thrown) {
    await database.close()
    throw thrown
  }
}
