import type { PgBoss } from 'pg-boss'
import { QUEUE } from '../../src/queue/boss.ts'
import type { BenchDatabase } from './databases.ts'
import { listed, type Measurement, median, noted, percent } from './measurement.ts'
import { SCHEMA } from './queues.ts'
import { whileServing } from './server-use.ts'

/** A kind of pass that pg-boss makes over a queue, how often workers ask for it (src/work.ts), and what makes it due alone. */
interface Pass {
  does: string
  everyS: number
  times: number
  due: string
}

const PASSES: readonly Pass[] = [
  {
    ...{ does: 'counting', everyS: 6, times: 5 },
    due: 'monitor_on = NULL, monitor_claim_on = NULL, maintain_on = now()',
  },
  {
    ...{ does: 'clearing', everyS: 600, times: 2 },
    due: 'monitor_on = now(), monitor_claim_on = now(), maintain_on = NULL',
  },
]

/** What the passes cost that count the queue and look for dead workers, and those that clear away what is done for long. */
export async function lookAfter(
  boss: PgBoss,
  database: BenchDatabase,
  what: string,
): Promise<Measurement[]> {
  const measured: Measurement[] = []
  for (const { does, everyS, times, due } of PASSES) {
    const ms: number[] = []
    const { used } = await whileServing(database, async () => {
      for (let turn = 0; turn < times; turn += 1) {
        await database.query(`UPDATE ${SCHEMA}.queue SET ${due}`)
        const from = performance.now()
        await boss.supervise(QUEUE)
        ms.push(performance.now() - from)
      }
    })
    const cpuMs = (used.cpuSeconds * 1_000) / times
    measured.push(
      noted(
        `${does} ${what}`,
        `${median(ms).toFixed(0)} ms`,
        `Passes of ${listed(ms, 0)} ms, ${cpuMs.toFixed(0)} ms of PostgreSQL's processor time each: at one every ${everyS} s ${percent(cpuMs / 1_000 / everyS)} of a core.`,
      ),
    )
  }
  return measured
}
