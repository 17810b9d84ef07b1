import { expect, test } from 'vitest'
import type { DatabaseSettings } from '../../src/addresses.ts'
import { problemsOf, settingsOf } from './settings-of.ts'

const NO_STORAGE = { api: true, storage: false }
const embedded = (folder: string): DatabaseSettings => ({ kind: 'embedded', folder })
const server = (url: string): DatabaseSettings => ({ kind: 'server', url })

const NEON = 'postgresql://u:p@ep-1.eu-central-1.aws.neon.tech/db?sslmode=require'
const SOCKET = 'postgresql:///db?host=/var/run/postgresql'

test.each<[given: string | undefined, database: DatabaseSettings]>([
  [undefined, embedded('./plate-snapshot-data')],
  ['', embedded('./plate-snapshot-data')],
  ['pglite:./plates', embedded('./plates')],
  ['pglite:/var/lib/my plates', embedded('/var/lib/my plates')],
  ['postgresql://u:p%40ss@host:5432/db', server('postgresql://u:p%40ss@host:5432/db')],
  ['postgres://host/db', server('postgres://host/db')],
  [NEON, server(NEON)],
  [SOCKET, server(SOCKET)],
  [`${NEON}&sslrootcert=system`, server(`${NEON}&sslrootcert=system`)],
])('DATABASE_URL %j is understood', (given, database) => {
  expect(settingsOf({ DATABASE_URL: given }, NO_STORAGE).database).toEqual(database)
})

test.each<[what: string, given: string, message: RegExp]>([
  ['of another database', 'mysql://u:secret@host/db', /^must be postgresql:/],
  ['without a scheme', 'u:secret@host/db', /^must be postgresql:/],
  ['with a password that is not escaped', 'postgresql://u:sec#ret@host/db', /%23 for #\.$/],
  ['that names no folder', 'pglite:', /^names no folder; write pglite:<folder>/],
  [
    'with a certificate that is not there',
    `${NEON}&sslrootcert=/no/ca.pem`,
    /\/no\/ca\.pem, which does not exist\.$/,
  ],
])('a DATABASE_URL %s is a problem, without its password', (_what, given, message) => {
  const problems = problemsOf({ DATABASE_URL: given }, NO_STORAGE)

  expect(problems).toEqual([{ name: 'DATABASE_URL', message: expect.stringMatching(message) }])
  expect(JSON.stringify(problems)).not.toMatch(/sec#?ret/)
})
