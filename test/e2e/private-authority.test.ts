import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { expect, inject, test } from 'vitest'
import { pictureOf } from '../support/sample-pictures.ts'
import { startTlsPostgres } from '../support/tls-postgres.ts'
import { createAuthority, startTlsServer } from '../support/tls-servers.ts'
import { createWorkplace } from '../support/workplace.ts'

/** Hands requests to a server without TLS, with the `Host` that was signed. */
function passOn(target: string) {
  const { hostname: host, port } = new URL(target)
  return (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url: path, headers } = incoming
    const onward = request({ host, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }
}

test('NODE_EXTRA_CA_CERTS lets a private authority through at all four ends, and without it at none', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const authority = await createAuthority()
  await using images = await startTlsServer(authority.right, (_, response) =>
    response.end(pictureOf('car')),
  )
  await using api = await startTlsServer(authority.right, passOn(place.sandbox.url))
  await using s3 = await startTlsServer(authority.right, passOn(inject('s3').endpoint))
  await using postgres = await startTlsPostgres(place.env['DATABASE_URL'] ?? '')
  postgres.url.searchParams.set('sslmode', 'require')
  await place.write('ca.pem', `${authority.certificate}\n${postgres.certificate}`)
  const path = new URL(place.sandbox.url).pathname
  const env = {
    SNAPSHOT_API_URL: `${api.url}${path}`,
    AWS_ENDPOINT_URL: s3.url,
    DATABASE_URL: postgres.url.href,
  }
  const refused = await place.run(['check', '--json'], { env })
  expect(refused.records).toEqual(
    ['api', 'database', 'storage'].map((what) =>
      expect.objectContaining({
        ...{ what, ok: false, hint: expect.stringContaining('NODE_EXTRA_CA_CERTS=<file>') },
      }),
    ),
  )
  expect([api.requests, s3.requests, postgres.encrypted]).toEqual([[], [], 0])

  const trusting = { ...env, NODE_EXTRA_CA_CERTS: 'ca.pem' }
  const run = await place.ingest([`${images.url}/car.jpg`], [], { env: trusting })
  expect(run.exitCode, run.stderr).toBe(0)
  expect(run.stderr).not.toMatch(/warning/i)
  expect(run.summary).toMatchObject({ no_plate: 1, lookups: 1, uploads: 1 })
  expect(images.requests).toEqual(['GET /car.jpg'])
  expect(api.requests).toContain(`POST ${path}`)
  expect(s3.requests).toContainEqual(expect.stringMatching(/^PUT /))
  expect(postgres.encrypted).toBeGreaterThan(0)
})
