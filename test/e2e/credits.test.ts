import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { startHttpServer } from '../support/http-server.ts'
import { createWorkplace, names } from '../support/workplace.ts'

const WARNING =
  /WARNING: the list has (\d+ lines?); --dry-run counts how many of them are not known/

describe('before anything is spent, a run on the cloud', () => {
  test('tells how many lookups are left', async () => {
    await using place = await createWorkplace({ sandbox: { usedCalls: 200 } })
    const { exitCode, stderr } = await place.ingest(await place.draw('car.jpg'))
    expect(exitCode).toBe(0)
    expect(stderr).toContain('Lookups left: 2300 of 2500.')
    expect(place.sandbox.statisticsRequests).toBe(1)
  })

  test('tells so when it is quiet, too', async () => {
    await using place = await createWorkplace({ sandbox: { usedCalls: 200 } })
    const { stderr } = await place.ingest(await place.draw('car.jpg'), ['--quiet'])
    expect(stderr).toContain('Lookups left: 2300 of 2500.')
  })

  test.each<[what: string, usedCalls: number, warned: string | undefined]>([
    ['warns when the list has more lines than that', 2_497, '4 lines'],
    ['does not warn when there are just enough', 2_496, undefined],
  ])('%s', async (_, usedCalls, warned) => {
    await using place = await createWorkplace({ sandbox: { usedCalls } })
    const lines = await place.draw(...names(4))
    const { stderr } = await place.ingest(['# not an image', '', ...lines])
    expect(WARNING.exec(stderr)?.[1]).toBe(warned)
  })

  test('does not warn when nobody knows how long the list is', async () => {
    await using place = await createWorkplace({ sandbox: { usedCalls: 2_497 } })
    const lines = await place.draw(...names(4))
    const input = lines.join('\n')
    const { exitCode, stderr } = await place.run(['--images', '-', '--delay', '0'], { input })
    expect(stderr).toContain('Lookups left: 3 of 2500.')
    expect(stderr).not.toMatch(WARNING)
    expect([exitCode, place.sandbox.billedCount()]).toEqual([3, 3])
  })

  test('asks nothing of the API when it is a dry run', async () => {
    await using place = await createWorkplace()
    const { stderr } = await place.ingest(await place.draw('car.jpg'), ['--dry-run'])
    expect(stderr).not.toContain('Lookups left')
    expect(place.sandbox.statisticsRequests).toBe(0)
  })
})

test('an SDK, which needs no key, tells its own allowance', async () => {
  await using place = await createWorkplace({ sandbox: { flavor: 'sdk', usedCalls: 500 } })
  const lines = await place.draw('car.jpg')
  const { exitCode, stderr } = await place.ingest(lines, [], { env: { PLATE_API_KEY: '' } })
  expect([exitCode, place.sandbox.billedCount()]).toEqual([0, 1])
  expect(stderr).toContain('Lookups left: 2000 of 2500.')
  expect(place.sandbox.statisticsRequests).toBe(0)
})

test.concurrent.each<[how: string, answer: (response: ServerResponse) => void]>([
  ['knows no statistics', (response) => response.writeHead(404).end('Not Found')],
  ['fails when asked for them', (response) => response.writeHead(500).end()],
  ['answers with a page', (response) => response.writeHead(200).end('<html>Hello</html>')],
  ['answers with something else', (response) => response.writeHead(200).end('{"usage":7}')],
  ['hangs up', (response) => response.destroy()],
  ['never answers', () => {}],
])('an API that %s is asked about the images all the same', async (_, answer) => {
  await using api = await startHttpServer((request, response) => {
    if (request.method === 'GET') answer(response)
    else request.resume().on('end', () => response.end('{"results":[]}'))
  })
  await using place = await createWorkplace()
  const env = { SNAPSHOT_API_URL: `${api.url}/v1/plate-reader/` }
  const lines = await place.draw(...names(2))
  const { exitCode, stderr, summary } = await place.ingest(lines, [], { env })
  expect(api.requests).toContain('GET /info/')
  expect(exitCode).toBe(0)
  expect(summary).toMatchObject({ images: 2, no_plate: 2, lookups: 2 })
  expect(stderr).not.toContain('Lookups left')
})
