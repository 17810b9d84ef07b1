import { expect, test } from 'vitest'
import { createLedger } from '../../src/db/ledger.ts'
import { applySchema } from '../../src/db/schema.ts'
import { FetchError } from '../../src/errors.ts'
import { openOnServer } from '../support/both-databases.ts'
import { fetchedImage } from '../support/drawn-images.ts'
import { openLedger } from '../support/ledgers.ts'

// On a server alone: the embedded database cannot go away while its process lives.
test.each(['release', 'fail'] as const)(
  'a copy that waits does not wait for ever when the database goes away: %s',
  async (how) => {
    await using opened = await openOnServer()
    await applySchema(opened.database)
    const working = opened.openAnother()
    const { run } = await openLedger(opened.database)
    const ledger = createLedger(working, run, { force: false })
    const image = fetchedImage()
    const never = new AbortController().signal
    await ledger.claim(image, undefined, never)
    const copy = ledger.claim(image, undefined, never)

    await working.close()
    const giving =
      how === 'release'
        ? ledger.release(image.sha256)
        : ledger.fail(image, new FetchError('short_body', 'short'))
    await expect(giving).rejects.toThrow()
    await expect(copy).rejects.toThrow()
    await run.end()
  },
)
