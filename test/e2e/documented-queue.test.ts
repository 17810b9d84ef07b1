import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { runAsWritten } from '../support/document-shell.ts'
import { codeBlock } from '../support/documents.ts'
import { withoutIds } from '../support/shown-output.ts'
import { createWorkplace } from '../support/workplace.ts'

const LIST = readFileSync(new URL('../../images.txt.example', import.meta.url), 'utf8')

/** Commands as typed into a terminal (after `$ `), each with what came of it. */
const TYPED = [
  codeBlock('$ npx plate-snapshot queue pace 0.2'),
  codeBlock('$ echo README.md | npx plate-snapshot'),
  codeBlock('$ npx plate-snapshot queue status'),
  codeBlock('$ npx plate-snapshot queue failed --csv'),
  codeBlock('$ npx plate-snapshot queue retry-failed'),
]

test('what docs/many-machines.md does with the queue in two terminals goes as it says', async () => {
  await using place = await createWorkplace({ isMigrated: false })
  await place.write('images.txt.example', LIST)
  await place.write('README.md', '# no image')
  const isIdle = async () => {
    const [waiting] = await place.query(
      "SELECT count(*)::int AS n FROM pgboss.job WHERE name = 'plate-snapshot' AND state < 'completed'",
    )
    expect(waiting).toEqual({ n: 0 })
  }
  const startAsWritten = async (line: string) => {
    const worker = await place.start(line.replace('npx plate-snapshot ', '').trim().split(' '))
    await worker.untilSaid(/Images: /)
    return worker
  }
  const lines = codeBlock('npm run sandbox &').trim().split('\n')
  // The workplace has a sandbox, and the worker goes on until it is told to stop.
  expect([lines[0], lines.at(-1)]).toEqual([
    'npm run sandbox &',
    'npx plate-snapshot work --delay 1',
  ])
  const { exitCode, output } = await runAsWritten(place, lines.slice(1, -1).join('\n'))
  expect(exitCode, output).toBe(0)
  const first = await startAsWritten(lines.at(-1) ?? '')
  const second = await startAsWritten(codeBlock('npx plate-snapshot work\n'))
  second.kill('SIGINT')
  expect((await second.ended).exitCode).toBe(130)

  for (const typed of TYPED) {
    const [prompt = '', ...shown] = typed.split('\n')
    const command = prompt.replace(/^\$ /, '')
    // What waits is done by the time that people have read so far.
    if (command.includes('status')) await vi.waitFor(isIdle, { timeout: 30_000 })
    const said = await runAsWritten(place, command, { TZ: 'UTC' })
    expect(withoutQueueFacts(said.output), command).toEqual(withoutQueueFacts(shown.join('\n')))
  }
  first.kill('SIGTERM')
  expect((await first.ended).exitCode).toBe(143)

  const doctor = await runAsWritten(place, codeBlock('npx pg-boss doctor'))
  expect(doctor.exitCode, doctor.output).toBe(0)
})

test('the section of the README about more than one machine goes as it says', async () => {
  await using place = await createWorkplace({ isMigrated: false })
  await place.write('images.txt', LIST)

  const commands = codeBlock('npx plate-snapshot work --until-empty')
  const { exitCode, output } = await runAsWritten(place, commands)

  expect(exitCode, output).toBe(0)
  expect(output).toMatch(/^\d+ new jobs\.$/m)
  expect(output).toMatch(/^No line waits\.$/m)
})

function withoutQueueFacts(output: string): string[] {
  return withoutIds(
    output
      .replace(/^[\d.]+ images a second/m, 'N images a second')
      .replace(/ on [\w.-]+$/gm, ' on HOST')
      .replace(/\S+\/README.md/g, 'README.md')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME'),
  )
}
