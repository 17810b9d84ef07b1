import { run } from './programs.ts'

let answer: Promise<boolean> | undefined

/**
 * Whether a Docker API answers within three seconds, wherever testcontainers looks for it. Asked in
 * another process: the connections of testcontainers would keep this one from ending.
 */
export function dockerAnswers(): Promise<boolean> {
  const question = `
    import { getContainerRuntimeClient } from 'testcontainers'
    await getContainerRuntimeClient()
    process.exit()`
  const options = { cwd: import.meta.dirname, timeout: 3000, killSignal: 'SIGKILL' } as const
  answer ??= run(process.execPath, ['--input-type=module', '--eval', question], options).then(
    () => true,
    () => false,
  )
  return answer
}
