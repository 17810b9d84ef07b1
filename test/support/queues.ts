import { join } from 'node:path'
import type { PgBoss } from 'pg-boss'
import type { Database } from '../../src/db/database.ts'
import { openServerDatabase } from '../../src/db/server.ts'
import { DEAD_LETTERS, QUEUE } from '../../src/queue/boss.ts'
import { installQueue, openQueue } from '../../src/queue/install.ts'
import { toJob } from '../../src/queue/job.ts'
import type { Shell } from '../../src/shell.ts'
import { redactSource } from '../../src/source.ts'
import type { OpenedDatabase } from './both-databases.ts'
import { createWorkplace, type Workplace } from './workplace.ts'

export const SCHEMA = 'pgboss'

/** A queue of a database of its own, and what is told to the commands that look after it. */
export interface TestQueue extends AsyncDisposable {
  database: Database
  boss: PgBoss
  /** Puts these lines, each with so many tries. */
  put(lines: readonly string[], tries?: number): Promise<void>
  /** The next job that is due goes to work. @returns its id */
  take(): Promise<string>
  /** Puts this line and lets its only try fail. */
  kill(line: string, output: object): Promise<void>
  /** Nothing waits, failed, or was done. */
  empty(): Promise<void>
}

/** A workplace on a server database with a queue, and a state folder of its own for commands in this process. */
export async function createQueuedWorkplace(): Promise<Workplace> {
  const place = await createWorkplace()
  place.env['XDG_STATE_HOME'] = join(place.folder, 'state')
  const database = openServerDatabase(place.env['DATABASE_URL'] ?? '', 2)
  await installQueue(database, SCHEMA)
  await database.close()
  return place
}

/** An empty queue. */
export async function openTestQueue(opened: OpenedDatabase): Promise<TestQueue> {
  const { database } = opened
  await installQueue(database, SCHEMA)
  const boss = await openQueue(database, SCHEMA, () => {})
  const wanted = {
    ...{ threshold: 0, meta: undefined },
    question: { regions: [], cameraId: undefined, mmc: false, engineConfig: undefined },
  }

  async function put(lines: readonly string[], tries = 6): Promise<void> {
    const jobs = lines.map((text, n) =>
      toJob({ text, source: redactSource(text), line: n + 1 }, wanted),
    )
    await boss.insert(
      QUEUE,
      jobs.map((job) => ({ ...job, retryLimit: tries - 1 })),
    )
  }

  async function take(): Promise<string> {
    const [job] = await boss.fetch(QUEUE)
    if (job === undefined) throw new Error('no job is due')
    return job.id
  }

  return {
    ...{ database, boss, put, take },
    async kill(line, output) {
      await put([line], 1)
      await boss.fail(QUEUE, await take(), output)
    },
    async empty() {
      for (const name of [QUEUE, DEAD_LETTERS]) await boss.deleteAllJobs(name)
    },
    async [Symbol.asyncDispose]() {
      await boss.stop()
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** A shell whose outputs can be read. @param signal a signal that has come already */
export function listeningShell(signal?: 'SIGINT'): Shell & { told: string[]; said: string[] } {
  const told: string[] = []
  const said: string[] = []
  return {
    ...{ told, said, env: {}, version: '0', terminalColumns: undefined },
    input: process.stdin,
    out: (text) => void told.push(...text.split('\n')),
    outBytes: (bytes) => void told.push(...String(bytes).replace(/\n$/, '').split('\n')),
    drained: async () => {},
    say: (text) => void said.push(...text.split('\n')),
    signal: signal === undefined ? new AbortController().signal : AbortSignal.abort(),
    stoppedBy: () => signal,
  }
}
