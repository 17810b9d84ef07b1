import { expect, test } from 'vitest'
import { startTlsPostgres } from '../support/tls-postgres.ts'
import { createWorkplace } from '../support/workplace.ts'

/** `DATABASE_URL` as a hosted PostgreSQL gives it. */
function withMode(url: URL, parameters: Record<string, string>): string {
  const full = new URL(url)
  for (const [name, value] of Object.entries(parameters)) full.searchParams.set(name, value)
  return full.href
}

test('sslmode=require is verified in full: a certificate that nobody signed is refused, with a hint and no warning', async () => {
  await using place = await createWorkplace()
  await using tls = await startTlsPostgres(place.env['DATABASE_URL'] ?? '')
  const env = {
    DATABASE_URL: withMode(tls.url, { sslmode: 'require', channel_binding: 'require' }),
  }
  const { exitCode, stderr, summary } = await place.ingest(['samples/gate-sedan-front.jpg'], [], {
    env,
  })
  expect(exitCode).toBe(3)
  expect(summary.stopped).toBe('database_down')
  expect(stderr).toContain('sslrootcert')
  expect(stderr).not.toMatch(/warning/i)
  expect(tls.encrypted).toBe(0)
  expect(place.sandbox.lookups).toEqual([])
})

test('sslmode=verify-full with sslrootcert lets a known authority through', async () => {
  await using place = await createWorkplace()
  await using tls = await startTlsPostgres(place.env['DATABASE_URL'] ?? '')
  await place.write('ca.pem', tls.certificate)
  const { exitCode, stderr, summary } = await place.ingest(['samples/gate-sedan-front.jpg'], [], {
    env: { DATABASE_URL: withMode(tls.url, { sslmode: 'verify-full', sslrootcert: 'ca.pem' }) },
  })
  expect(exitCode, stderr).toBe(0)
  expect(summary.stored).toBe(1)
  expect(stderr).not.toMatch(/warning/i)
  expect(tls.encrypted).toBeGreaterThan(0)
})

test.each<[what: string, host: string, validUntil: Date | undefined, said: RegExp]>([
  [
    'for another host',
    'db.example.com',
    undefined,
    /altnames.*\nThe server's certificate is for another name/,
  ],
  ['that has expired', 'localhost', new Date(Date.now() - 86_400_000), /expired.*\n.* Renew it/],
])('a certificate %s is refused', async (_what, host, validUntil, said) => {
  await using place = await createWorkplace()
  await using tls = await startTlsPostgres(place.env['DATABASE_URL'] ?? '', host, validUntil)
  await place.write('ca.pem', tls.certificate)
  const env = { DATABASE_URL: withMode(tls.url, { sslmode: 'verify-full', sslrootcert: 'ca.pem' }) }
  const { exitCode, stderr } = await place.ingest(['samples/gate-sedan-front.jpg'], [], { env })
  expect(exitCode).toBe(3)
  expect(stderr).toContain('[database_down]')
  expect(stderr).toMatch(said)
  expect(tls.encrypted).toBe(0)
})

test('a server without TLS is not spoken to in clear when TLS was asked for', async () => {
  await using place = await createWorkplace()
  const env = {
    DATABASE_URL: withMode(new URL(place.env['DATABASE_URL'] ?? ''), { sslmode: 'require' }),
  }
  const { exitCode, stderr } = await place.run(['migrate'], { env })
  expect(exitCode).toBe(3)
  expect(stderr).toContain('leave sslmode out of DATABASE_URL')
})
