import { expect, test } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { problemsOf, settingsOf } from './settings-of.ts'

const SERVER = { DATABASE_URL: 'postgresql://host/db' }
const BUCKET = { S3_BUCKET: 'plates' }
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 's' }

test.each<[where: string, env: Environment, kind: 's3' | 'db']>([
  ['in the embedded database when no bucket is set', {}, 'db'],
  ['in the bucket when one is set', BUCKET, 's3'],
  ['in the bucket on a server', { ...SERVER, ...BUCKET }, 's3'],
  ['in the database when that is asked for', { ...SERVER, ...BUCKET, STORE_IMAGES: 'db' }, 'db'],
  ['in the bucket when that is asked for', { ...BUCKET, STORE_IMAGES: 's3' }, 's3'],
])('images go %s', (_where, env, kind) => {
  expect(settingsOf(env).storage.kind).toBe(kind)
})

test('of S3 only the bucket has to be named', () => {
  expect(settingsOf(BUCKET).storage).toEqual({
    kind: 's3',
    bucket: 'plates',
    region: 'us-east-1',
    endpoint: undefined,
    credentials: undefined,
    urlStyle: undefined,
    urlExpiresS: 604_800,
  })
})

test('all of S3 can be set', () => {
  const env = {
    ...BUCKET,
    ...KEYS,
    AWS_SESSION_TOKEN: 't',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: 'http://minio:9000',
    S3_URL_STYLE: 'object',
    S3_URL_EXPIRES: '3600',
  }

  expect(settingsOf(env).storage).toEqual({
    kind: 's3',
    bucket: 'plates',
    region: 'eu-west-1',
    endpoint: 'http://minio:9000',
    credentials: { accessKeyId: 'AKIA1', secretAccessKey: 's', sessionToken: 't' },
    urlStyle: 'object',
    urlExpiresS: 3_600,
  })
})

test('no session token is no property', () => {
  expect(settingsOf({ ...BUCKET, ...KEYS }).storage).toMatchObject({
    credentials: { accessKeyId: 'AKIA1', secretAccessKey: 's' },
  })
})

test.each<[name: string, given: string, message: string]>([
  ['STORE_IMAGES', 'disk', 'must be s3 or db.'],
  ['STORE_IMAGES', 'S3', 'must be s3 or db.'],
  ['S3_BUCKET', 's3://plates', 'is not a bucket name (only the name, no s3:// and no path).'],
  ['S3_BUCKET', 'plates/in', 'is not a bucket name (only the name, no s3:// and no path).'],
  ['AWS_ENDPOINT_URL', 'minio:9000', 'must be an http(s) address, such as http://minio:9000.'],
  ['AWS_ENDPOINT_URL', 'minio', 'must be an http(s) address, such as http://minio:9000.'],
  ['AWS_ENDPOINT_URL', 's3://minio', 'must be an http(s) address, such as http://minio:9000.'],
  ['S3_URL_STYLE', 'public', 'must be presigned or object.'],
  ['S3_URL_EXPIRES', '7d', 'must be a number of seconds.'],
  ['S3_URL_EXPIRES', '1.5', 'must be whole seconds.'],
  ['S3_URL_EXPIRES', '0', 'must be at least 1 second.'],
  ['S3_URL_EXPIRES', '-1', 'must be at least 1 second.'],
  ['S3_URL_EXPIRES', '604801', 'must be at most 604800 seconds (7 days).'],
])('%s=%s is a problem', (name, given, message) => {
  expect(problemsOf({ ...BUCKET, [name]: given })).toEqual([{ name, message }])
})

test.each<[what: string, env: Environment, message: RegExp]>([
  ['a server database', SERVER, /^is not set\. .*STORE_IMAGES=db$/],
  ['STORE_IMAGES=s3', { STORE_IMAGES: 's3' }, /^is not set\. .*STORE_IMAGES=db$/],
])('%s needs a bucket', (_what, env, message) => {
  expect(problemsOf(env)).toEqual([{ name: 'S3_BUCKET', message: expect.stringMatching(message) }])
})

test.each<[set: string, missing: string]>([
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'],
])('%s alone is half a key', (set, missing) => {
  expect(problemsOf({ ...BUCKET, [set]: 'x' })).toEqual([
    {
      name: missing,
      message: `is not set, but ${set} is. Set both, or neither to use a profile or a role.`,
    },
  ])
})

test('half a key does not matter where no bucket is used', () => {
  expect(problemsOf({ AWS_ACCESS_KEY_ID: 'x' })).toEqual([])
})

test('a command that touches no image needs no bucket', () => {
  expect(problemsOf(SERVER, { api: true, storage: false })).toEqual([])
})

test('all that is wrong is told at once', () => {
  const env = {
    PLATE_API_KEY: '',
    DATABASE_URL: 'mysql://host/db',
    STORE_IMAGES: 's3',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_ENDPOINT_URL: 'minio:9000',
    S3_URL_STYLE: 'public',
    S3_URL_EXPIRES: '7d',
    HTTPS_PROXY: 'proxy',
  }

  expect(problemsOf(env).map(({ name }) => name)).toEqual([
    'DATABASE_URL',
    'AWS_ENDPOINT_URL',
    'S3_URL_STYLE',
    'S3_URL_EXPIRES',
    'HTTPS_PROXY',
    'PLATE_API_KEY',
    'S3_BUCKET',
    'AWS_SECRET_ACCESS_KEY',
  ])
})
