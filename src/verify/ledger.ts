import { eachAtOnce } from '../at-once.ts'
import { type Entry, entryPages } from './entries.ts'
import { answerFromRow, releaseClaim } from './mend.ts'
import type { Mended } from './problem.ts'
import { verifyStored } from './stored.ts'
import type { Verification } from './verification.ts'

/** Entries looked at at once: each may cost a request to the storage. */
const AT_ONCE = 16

/** Every ledger entry: its answer, its claim, and its stored image. */
export async function verifyLedger(verification: Verification): Promise<void> {
  const { database, mayReadData, signal } = verification
  for await (const page of entryPages(database, mayReadData)) {
    await eachAtOnce(page, AT_ONCE, async (entry) => {
      signal.throwIfAborted()
      await verifyEntry(entry, verification)
    })
  }
}

export async function verifyEntry(entry: Entry, verification: Verification): Promise<void> {
  verification.counts.images += 1
  await verifyAnswer(entry, verification)
  if (entry.isStale) await reportStale(entry, verification)
  await verifyStored(entry, verification)
}

async function verifyAnswer(entry: Entry, { database, report }: Verification): Promise<void> {
  const { sha256, hasResponse, isReadable, saysAnswered } = entry
  if (isReadable || (!hasResponse && !saysAnswered)) return
  const [code, what, advice] = hasResponse
    ? (['unreadable_response', 'Its answer holds no result list', '--force over it asks'] as const)
    : (['answered_without_response', 'It counts as answered without an answer', 'it asks'] as const)
  const mend = async (): Promise<Mended> => {
    const { isAnswered } = await answerFromRow(database, sha256)
    if (isAnswered) return { isMended: true, said: 'The answer was taken from a row.' }
    const said = `No row keeps the answer: a run with ${advice} once more (one lookup).`
    return { isMended: false, said }
  }
  await report({ code, sha256, source: entry.source ?? undefined, what: `${what}.`, mend })
}

async function reportStale(entry: Entry, { database, report }: Verification): Promise<void> {
  const { sha256, wasAsking } = entry
  const asking = wasAsking ? ', and a request was under way that may have been billed' : ''
  await report({
    code: 'stale_claim',
    sha256,
    source: entry.source ?? undefined,
    what: `A run that is gone still claims it${asking}.`,
    async mend() {
      await releaseClaim(database, sha256)
      const counted = wasAsking ? ', and its request counted as uncertain' : ''
      return { isMended: true, said: `The claim was given back${counted}.` }
    },
  })
}
