#!/usr/bin/env node
// Nothing but Node itself is imported before its version is known to do: the rest fails on an old one with a trace.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'

const OLDEST = [22, 19] as const

// Left to itself, V8 lets a heap of 50 MB grow to 250 before it looks for garbage, the more the longer a run is; this is
// read anew at each collection. A list of a million lines is to cost what one of ten thousand does (bench/README.md).
setFlagsFromString('--heap-growing-percent=20')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `plate-snapshot needs Node ${OLDEST.join('.')} or newer; this is Node ${process.versions.node}. Install a current one from https://nodejs.org. (In a checkout, npx and the npm scripts bring their own.)\n`,
  )
  process.exitCode = 2
} else if (process.env['NODE_DEBUG']) {
  // Node has read it already, and nothing can take it back.
  process.stderr.write(
    'NODE_DEBUG has Node print what is sent and received, signatures and passwords included. Unset it, then run again: nothing was started.\n',
  )
  process.exitCode = 2
} else {
  // The same of libraries, which read it when they are loaded.
  delete process.env['DEBUG']
  process.exitCode = await run()
}

async function run(): Promise<number> {
  const { main } = await import('./main.ts')
  // Left to itself, Node prints everything that hangs on the error too: requests, addresses, settings.
  process.on('uncaughtException', async (thrown) => {
    const [{ stopLines }, { secretsIn, withoutSecrets }] = await Promise.all([
      import('./run-report.ts'),
      import('./secrets.ts'),
    ])
    process.stderr.write(`${withoutSecrets(stopLines(thrown), secretsIn(process.env))}\n`, () =>
      process.exit(1),
    )
  })
  const stop = new AbortController()
  let stoppedBy: 'SIGINT' | 'SIGTERM' | undefined

  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    // The first lets lookups in flight end; the second does not wait.
    if (stoppedBy !== undefined) process.exit(signal === 'SIGINT' ? 130 : 143)
    stoppedBy = signal
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const { stdin, stdout, stderr } = process
  // A reader that has seen enough (`| head`) ends the run in good order, without a word; a full disk with one.
  let isDeaf = false
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isDeaf) return
    isDeaf = true
    stop.abort()
    if (error.code !== 'EPIPE')
      stderr.write(`Standard output cannot be written: ${error.message}.\n`)
  })
  // Nobody may be there to read messages any more: the run goes on.
  let isUnheard = false
  stderr.on('error', () => {
    isUnheard = true
  })
  return main(process.argv.slice(2), {
    env: process.env,
    input: stdin,
    out: (text) => {
      if (!isDeaf) stdout.write(`${text}\n`)
    },
    outBytes: (bytes) => {
      if (!isDeaf) stdout.write(bytes)
    },
    drained: async () => {
      if (isDeaf || !stdout.writableNeedDrain) return
      await once(stdout, 'drain', { signal: stop.signal }).catch(() => {})
    },
    say: (text) => {
      if (!isUnheard && !isDeaf) stderr.write(`${text}\n`)
    },
    terminalColumns: stderr.isTTY ? stderr.columns : undefined,
    outColumns: stdout.isTTY ? stdout.columns : undefined,
    signal: stop.signal,
    stoppedBy: () => stoppedBy,
    version: versionOf(new URL('../package.json', import.meta.url)),
  })
}

function versionOf(manifest: URL): string {
  const found = /"version": "([^"]+)"/.exec(readFileSync(manifest, 'utf8'))
  return found?.[1] ?? 'unknown'
}
