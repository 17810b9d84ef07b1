import { once } from 'node:events'
import type { Stoppable } from './own-process.ts'

// The program that `startInOwnProcess` runs: starts, tells, waits for the end, stops.
const [, , module = '', starter = '', options = ''] = process.argv
const told = ['SIGTERM', 'SIGINT', 'SIGHUP'].map((signal) => once(process, signal))
const end = Promise.race([once(process.stdin.resume(), 'close'), ...told])
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)
process.stdout.on('error', () => {}) // Whoever started this is gone: the end comes at once.
try {
  const server: Stoppable = await (await import(module))[starter](JSON.parse(options))
  say({ server })
  await end
  await server.stop()
} catch (error) {
  say({ failure: error instanceof Error ? error.message : String(error) })
}
process.exit()
