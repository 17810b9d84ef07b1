import { expect, test } from 'vitest'
import { secretsIn, withoutSecrets } from '../../src/secrets.ts'
import { findSecrets, markOf, spellingsOf } from '../support/secret-marks.ts'

const KEY = markOf('key')

test.each(Object.keys(spellingsOf(KEY)).filter((how) => how !== 'in hex' && how !== 'as in HTML'))(
  'a secret is hidden when it is spelled %s',
  (how) => {
    const text = `no ${spellingsOf(KEY)[how]} here`
    expect(findSecrets(text, { KEY })).not.toEqual([])
    expect(withoutSecrets(text, [undefined, KEY])).toMatch(/^no ….{0,2} here$/)
  },
)

test('it is hidden within the credentials of a header, each time, and the rest stays', () => {
  const basic = Buffer.from(`user:${KEY}`).toString('base64')
  const shown = withoutSecrets(`Basic ${basic}, Token ${KEY}; ${KEY} is wrong`, [KEY])
  expect(findSecrets(shown, { KEY })).toEqual([])
  expect(shown).toMatch(/^Basic \S+, Token …; … is wrong$/)
})

test.each([
  ['what is too short to be a secret', 'abc', 'abcdef abc'],
  ['a text without the secret', KEY, 'Invalid token.'],
  ['words about a license key', KEY, 'The license key is missing. A license key must be set.'],
])('%s is left as it is', (_what, secret, text) => {
  expect(withoutSecrets(text, [secret])).toBe(text)
})

test.each([
  ['{"license_key":"Abc123"}', '{"license_key":"…"}'],
  ['{\\"license_key\\": \\"Abc123\\"}', '{\\"license_key\\": \\"…\\"}'],
  ['LICENSE_KEY=Abc123 is used', 'LICENSE_KEY=… is used'],
  ['Licence key Abc123 has expired', 'Licence key … has expired'],
  ["license key: 'Abc123'.", "license key: '…'."],
])('the license key that an SDK names goes from %s', (text, shown) => {
  expect(withoutSecrets(text, [])).toBe(shown)
})

test('the secrets of an environment are its keys, and the passwords in its addresses as written and as meant', () => {
  const env = {
    PLATE_API_KEY: ' the-key ',
    AWS_SECRET_ACCESS_KEY: 's3-secret',
    LICENSE_KEY: 'license',
    DATABASE_URL: 'postgresql://me:p%40ss@host/db',
    HTTPS_PROXY: 'http://me:a/b@c@proxy:3128',
    SNAPSHOT_API_URL: 'http://user@host/',
    AWS_REGION: 'eu-west-1',
  }
  expect(secretsIn(env)).toEqual([
    'the-key',
    's3-secret',
    'license',
    'p%40ss',
    'p@ss',
    'a/b@c',
    'a/b@c',
  ])
})
