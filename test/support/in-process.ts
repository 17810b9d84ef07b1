import { Readable } from 'node:stream'
import { main } from '../../src/main.ts'

/** What a command said. */
export interface Said {
  exitCode: number
  /** Standard output and standard error, in the order they came. */
  text: string
  /** What went to standard output as bytes. */
  bytes: string
}

/** Runs a command in this process, where it need not be loaded anew: for commands that do not care about their process. */
export async function runInProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { input = '', outColumns }: { input?: string; outColumns?: number | undefined } = {},
): Promise<Said> {
  const texts: string[] = []
  const bytes: string[] = []
  const exitCode = await main(args, {
    env: { ...env },
    input: Readable.from([input]),
    out: (text) => void texts.push(text),
    outBytes: (some) => void bytes.push(String(some)),
    drained: async () => {},
    say: (text) => void texts.push(text),
    ...{ terminalColumns: undefined, outColumns },
    signal: new AbortController().signal,
    stoppedBy: () => undefined,
    version: '0',
  })
  return { exitCode, text: texts.join('\n'), bytes: bytes.join('') }
}
