import { expect, test } from 'vitest'
import { problemsOf } from './settings-of.ts'

const DATABASE_URL = 'postgresql://u:secret@host/db'

test.each<[name: string, env: Record<string, string>]>([
  ['NODE_TLS_REJECT_UNAUTHORIZED=0', { NODE_TLS_REJECT_UNAUTHORIZED: '0', DATABASE_URL }],
  ['DATABASE_URL', { DATABASE_URL: `${DATABASE_URL}?sslmode=no-verify` }],
  ['DATABASE_URL', { DATABASE_URL: `${DATABASE_URL}?sslmode=require&sslmode=no-verify` }],
  ['DATABASE_URL', { DATABASE_URL: `${DATABASE_URL}?ssl=no-verify` }],
  ['PGSSLMODE=no-verify', { DATABASE_URL, PGSSLMODE: 'no-verify' }],
])('%s is not obeyed in silence: %j', (name, env) => {
  const problems = problemsOf({ STORE_IMAGES: 'db', ...env })
  expect(problems).toEqual([
    { name, message: expect.stringContaining('own authority in NODE_EXTRA_CA_CERTS=<file>') },
  ])
  expect(JSON.stringify(problems)).not.toContain('secret')
})

test.each<[what: string, env: Record<string, string>]>([
  ['TLS that is checked', { DATABASE_URL: `${DATABASE_URL}?sslmode=verify-full` }],
  ['no TLS, said openly', { DATABASE_URL: `${DATABASE_URL}?sslmode=disable` }],
  ['the default', { NODE_TLS_REJECT_UNAUTHORIZED: '1', PGSSLMODE: 'require', DATABASE_URL }],
  ['the driver’s setting where there is no server', { PGSSLMODE: 'no-verify' }],
])('%s is nothing to complain of', (_what, env) => {
  expect(problemsOf({ STORE_IMAGES: 'db', ...env })).toEqual([])
})
