// What pg-boss costs by itself: the workers of `plate-snapshot work`, as built, whose pipeline gives the same outcome for
// every line at once. It ends when the queue is empty.
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const { env } = process
const schema = env['BENCH_QUEUE_SCHEMA'] ?? ''
/** As `work` looks (src/work.ts). */
const LOOK_EVERY_MS = 500

const built = (name: string) => import(pathToFileURL(`dist/${name}.js`).href)
const { openServerDatabase }: typeof import('../src/db/server.ts') = await built('db/server')
const { ingested }: typeof import('../src/outcome.ts') = await built('outcome')
const { QUEUE }: typeof import('../src/queue/boss.ts') = await built('queue/boss')
const { openQueue }: typeof import('../src/queue/install.ts') = await built('queue/install')
const { isEmpty }: typeof import('../src/queue/jobs.ts') = await built('queue/jobs')
const { startWorkers }: typeof import('../src/queue/workers.ts') = await built('queue/workers')

const connections = Number(env['BENCH_DATABASE_CONNECTIONS'])
const database = openServerDatabase(env['DATABASE_URL'] ?? '', connections)
const boss = await openQueue(database, schema, (error) => {
  throw error
})
const image = { sha256: randomUUID(), mime: 'image/jpeg', size: 120_000 }
const outcome = ingested(image, { readings: [] }, { outcome: 'stored', rows: 1, wasLookedUp: true })
await startWorkers({
  ...{ boss, database, inFlight: Number(env['BENCH_IN_FLIGHT']) },
  recall: async () => () => undefined,
  settle: async (line) => ({ ...outcome, ref: line, ms: 1 }),
  onOutcome: () => {},
  stop: new AbortController().signal,
  onSecretDone: () => {},
})
while (!(await isEmpty(database, schema))) await sleep(LOOK_EVERY_MS)
await boss.offWork(QUEUE)
await boss.stop()
await database.close()
