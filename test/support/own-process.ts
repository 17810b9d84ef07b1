import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * What a starter gives: facts about its server, which travel as JSON, its end, and other methods, which take and return
 * what travels as JSON.
 */
export type Stoppable = { stop(): Promise<void> }

/**
 * Calls `starter`, a function that `module` exports, in a Node process of its own. That process stops
 * what was started when this one ends, also when this one is interrupted or killed: it sees its
 * standard input close. Being detached, it is not hit itself by a terminal's Ctrl-C. The methods of
 * what was started are called there, one after another.
 */
export async function startInOwnProcess<Server extends Stoppable>(
  module: URL,
  starter: string,
  options: object = {},
): Promise<Server & AsyncDisposable> {
  const program = fileURLToPath(new URL('./server-process.ts', import.meta.url))
  const call = [program, module.href, starter, JSON.stringify(options)]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...call], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  // A call that comes when the process has ended is told so by the missing answer.
  child.stdin.on('error', () => {})
  const gone = once(child, 'close')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const nextAnswer = async () => {
    const { value = '{"failure":"its process ended"}' } = await lines.next()
    const answer = JSON.parse(value)
    if ('failure' in answer) throw new Error(answer.failure)
    return answer
  }
  const { server, methods } = await nextAnswer()
  for (const method of methods) {
    server[method] = async (...values: unknown[]) => {
      child.stdin.write(`${JSON.stringify([method, ...values])}\n`)
      return (await nextAnswer()).result
    }
  }
  const stop = async () => {
    child.stdin.end()
    await gone
  }
  return { ...server, stop, [Symbol.asyncDispose]: stop }
}
