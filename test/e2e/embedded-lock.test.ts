import { hostname } from 'node:os'
import { expect, test, vi } from 'vitest'
import { createWorkplace } from '../support/workplace.ts'

test('a second process on an embedded folder is told who holds it, and a dead one is taken over', async () => {
  await using place = await createWorkplace({
    database: 'embedded',
    sandbox: { fault: ({ attempt }) => (attempt === 1 ? 'hang' : undefined) },
  })
  const gate = 'samples/gate-sedan-front.jpg'
  const first = await place.startIngest([gate])
  await vi.waitFor(() => expect(place.sandbox.billedCount()).toBe(1), { timeout: 30_000 })

  const second = await place.ingest([gate])
  expect(second.exitCode).toBe(3)
  expect(second.summary).toMatchObject({ images: 0, stopped: 'database_down' })
  expect(second.stderr).toContain(
    `The embedded database in ./plate-snapshot-data is held by process ${first.pid} on host ${hostname()}`,
  )
  expect(second.stderr).toContain('[folder_locked]')

  first.kill('SIGKILL')
  await first.ended
  const third = await place.ingest([gate])
  expect(third.exitCode).toBe(0)
  expect(third.summary).toMatchObject({ stored: 1, lookups: 1 })
})
