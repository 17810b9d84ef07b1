import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What a starter gives: facts about its server, which travel as JSON, and its end. */
export type Stoppable = { stop(): Promise<void> }

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
  const program = fileURLToPath(new URL('./server-process.ts', import.meta.url))
  const call = [program, module.href, starter, JSON.stringify(options)]
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
