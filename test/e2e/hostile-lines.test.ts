import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

test('lines of strangers lead neither into the network around nor out of the folder', async () => {
  await using server = await startImageServer({
    '/car.jpg': pictureOf('car'),
    '/moved.jpg': (_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  })
  await using place = await createWorkplace()
  await mkdir(join(place.folder, 'images'))
  await place.draw('images/bus.jpg', 'outside.jpg')
  await symlink('../outside.jpg', join(place.folder, 'images/link.jpg'))
  const { port } = new URL(server.url)
  const lines: [line: string, code?: string][] = [
    ['images/bus.jpg'],
    ['images/link.jpg', 'path_refused'],
    ['images/../outside.jpg', 'path_refused'],
    ['/etc/passwd', 'path_refused'],
    [`http://localhost:${port}/car.jpg`],
    [`${server.url}/car.jpg`, 'address_refused'],
    [`http://[::ffff:127.0.0.1]:${port}/car.jpg`, 'address_refused'],
    [`http://localhost:${port}/moved.jpg`, 'address_refused'],
    ['http://169.254.169.254/latest/meta-data/', 'address_refused'],
    ['file:///etc/passwd', 'unsupported_url'],
  ]
  const guarded = ['--public-only', '--allow-host', 'localhost,10.0.0.0/8', '--root', 'images']
  const run = await place.ingest(
    lines.map(([line]) => line),
    guarded,
  )
  const codes = run.images.map(({ line, error }) => [line, error?.code])
  expect(codes.toSorted()).toEqual(lines.map(([, code], n) => [n + 1, code]).toSorted())
  expect(server.requests).toEqual(expect.arrayContaining(['/car.jpg', '/moved.jpg']))
  expect(server.requests).toHaveLength(2)
  expect(place.sandbox.lookups).toHaveLength(2)

  const remote = await place.ingest(['images/bus.jpg', `${server.url}/car.jpg`], ['--no-local'])
  expect(remote.images.map(({ error }) => error?.code).toSorted()).toEqual([
    'path_refused',
    undefined,
  ])
  const failed = remote.images.find(({ error }) => error !== undefined)
  expect(failed?.error?.message).toBe('images/bus.jpg is not read: --no-local refuses every path.')
})

test('flags that guard are refused when they are meant wrongly, and the key in clear with them', async () => {
  await using place = await createWorkplace()
  const wrong = await place.ingest(
    ['outside.jpg'],
    ['--allow-host', 'host:8080,ok.example', '--root', 'not-there'],
    { env: { SNAPSHOT_API_URL: 'http://8.8.8.8:8080' } },
  )
  expect(wrong.exitCode).toBe(2)
  expect(wrong.stderr).toMatch(/--allow-host must be names, addresses .*: host:8080\n/)
  expect(wrong.stderr).toContain('--root must be a folder that is there: not-there')
  expect(wrong.stderr).toContain('SNAPSHOT_API_URL is http and leads to a public address')
  expect(wrong.stderr).not.toContain('ok.example')

  const check = await place.run(['check'], { env: { SNAPSHOT_API_URL: 'http://8.8.8.8:8080' } })
  expect(check.exitCode).toBe(2)
  expect(check.stderr).toContain('--allow-insecure-api')
})
