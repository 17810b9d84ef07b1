/**
 * The sandbox as a program: `node src/sandbox/serve.ts [port]`, port 8899 by default. It knows the
 * images in samples/ and serves until it is interrupted.
 */
import process from 'node:process'
import { loadSampleAnswers } from './sample-answers.ts'
import { startSandbox } from './sandbox.ts'

const port = Number(process.argv[2] ?? 8899)
const answers = await loadSampleAnswers(new URL('../../samples/', import.meta.url))
const sandbox = await startSandbox({ port, answers }).catch((error: Error) => {
  process.stderr.write(
    `The sandbox cannot start: ${error.message}. Another port: npm run sandbox -- 8900\n`,
  )
  process.exit(1)
})

process.stdout.write(
  `The sandbox answers as the Snapshot API at ${sandbox.url}
It knows ${Object.keys(answers).length} sample images and sees no plate in any other. Any key is good, nothing is billed.

In another terminal:

  PLATE_API_KEY=sandbox SNAPSHOT_API_URL=${sandbox.url} npx plate-snapshot --images images.txt.example

Ctrl-C ends it.
`,
)

async function end(): Promise<void> {
  process.stdout.write(`Lookups answered: ${sandbox.billedCount()}\n`)
  await sandbox.close()
}

process.once('SIGINT', end)
process.once('SIGTERM', end)
