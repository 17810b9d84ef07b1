import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Runs a program to its end; a failure's message holds what it printed. */
export const run = promisify(execFile)

/** A program that runs until it is stopped, its output in a file. */
export type Program = {
  /** Resolves when `isUp` says so; throws, with the end of the output, when it ends before or is not up in time. */
  until(isUp: () => Promise<boolean>): Promise<void>
  /** Resolves when the process is gone; SIGKILL follows a signal that is not obeyed within 10 seconds. */
  stop(signal: NodeJS.Signals): Promise<void>
  /** After `stop`, with the same arguments; does nothing to a program that runs. */
  startAgain(): void
}

export function startProgram(
  command: string,
  args: string[],
  output: string,
  options: SpawnOptions = {},
): Program {
  const start = () => {
    const file = openSync(output, 'a')
    const child = spawn(command, args, { ...options, stdio: ['ignore', file, file] })
    closeSync(file)
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    return { child, gone }
  }
  let { child, gone } = start()
  return {
    async until(isUp) {
      const deadline = Date.now() + 60_000
      while (!(await isUp())) {
        if (!isRunning(child) || Date.now() > deadline) {
          const end = readFileSync(output, 'utf8').slice(-1000)
          throw new Error(`${command} ${isRunning(child) ? 'is not up' : 'ended'}: ${end}`)
        }
        await sleep(20)
      }
    },
    async stop(signal) {
      child.kill(signal)
      const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone
      clearTimeout(impatience)
    },
    startAgain() {
      if (!isRunning(child)) ({ child, gone } = start())
    },
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** Where a program is: in PATH, or where Debian keeps what only root's PATH has. */
export function pathOf(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return [...folders, '/usr/sbin']
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
