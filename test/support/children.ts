import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Another process that is after the lock of a folder. */
export type LockChild = AsyncDisposable & {
  processId: number
  /** Lets it try. Resolves to `held`, or to the message of the error. */
  lock(): Promise<string>
  /** SIGKILL: it puts nothing in order. */
  kill(): Promise<void>
}

export function startLockChild(folder: string): LockChild {
  const program = fileURLToPath(new URL('./folder-holder.ts', import.meta.url))
  const child = spawn(process.execPath, [program, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const lines = createInterface(child.stdout)
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  return {
    processId: child.pid ?? 0,
    async lock() {
      const said = once(lines, 'line')
      child.stdin.write('now\n')
      return String((await said)[0])
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
