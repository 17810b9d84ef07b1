import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What a starter gives: facts about its server, which travel as JSON, and its end. */
type Stoppable = { stop(): Promise<void> }

/**
 * Calls `starter`, a function that `module` exports, in a Node process of its own. That process stops
 * what was started when this one ends, also when this one is interrupted or killed: it sees its
 * standard input close. Being detached, it is not hit itself by a terminal's Ctrl-C.
 */
export async function startInOwnProcess<Server extends Stoppable>(
  module: URL,
  starter: string,
  options: object = {},
): Promise<Server> {
  const call = [fileURLToPath(import.meta.url), module.href, starter, JSON.stringify(options)]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...call], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const gone = once(child, 'close').then(() => ['{"failure":"its process ended"}'])
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), gone])
  const answer = JSON.parse(line)
  if ('failure' in answer) throw new Error(answer.failure)
  return {
    ...answer.server,
    async stop() {
      child.stdin.end()
      await gone
    },
  }
}

async function serve(module: string, starter: string, options: string): Promise<void> {
  const told = ['SIGTERM', 'SIGINT', 'SIGHUP'].map((signal) => once(process, signal))
  const end = Promise.race([once(process.stdin.resume(), 'close'), ...told])
  const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)
  try {
    const server: Stoppable = await (await import(module))[starter](JSON.parse(options))
    say({ server })
    await end
    await server.stop()
  } catch (error) {
    say({ failure: error instanceof Error ? error.message : String(error) })
  }
  process.exit()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , module = '', starter = '', options = ''] = process.argv
  await serve(module, starter, options)
}
