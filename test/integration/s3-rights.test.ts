import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { allBlocks } from '../support/documents.ts'
import type { HttpServer } from '../support/http-server.ts'
import { runInProcess, type Said } from '../support/in-process.ts'
import { startS3GoBetween } from '../support/s3-go-between.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

/** Which right a request takes, by AWS's table of actions, resources and condition keys for S3. */
const ACTIONS: [
  method: RegExp,
  query: RegExp,
  ofBucket: string | undefined,
  ofObject: string | undefined,
][] = [
  [/^(GET|HEAD)$/, /[?&]versions/, 's3:ListBucketVersions', undefined],
  [/^(GET|HEAD)$/, /^/, 's3:ListBucket', 's3:GetObject'],
  [/^PUT$/, /^(?!.*[?&](acl|tagging|retention|legal-hold))/, undefined, 's3:PutObject'],
  [/^DELETE$/, /[?&]versionId=/, undefined, 's3:DeleteObjectVersion'],
  [/^DELETE$/, /^/, undefined, 's3:DeleteObject'],
]

/** An action and the ARN it is done to. */
function rightFor({ method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  const { pathname, search } = new URL(url, 'http://s3')
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(pathname) ?? []
  const found = ACTIONS.find(([ofMethod, ofQuery]) => ofMethod.test(method) && ofQuery.test(search))
  const action = key === '' ? found?.[2] : found?.[3]
  return `${action ?? method} arn:aws:s3:::${bucket}${key && '/'}${key}`
}

interface Policy {
  Statement: { Action: string | string[]; Resource: string }[]
}

/** The rights that a policy of docs/storage.md gives, `*` for any text. */
function rightsOf(name: string): string[] {
  const text = allBlocks().find((block) => block.text.includes(`"Sid": "${name}`))?.text
  const policy: Policy | undefined = text === undefined ? undefined : JSON.parse(text)
  return (policy?.Statement ?? []).flatMap(({ Action, Resource }) =>
    [Action].flat().map((action) => `${action} ${Resource}`),
  )
}

let place: Workplace
let between: HttpServer
let allowed: string[]
const used = new Set<string>()
beforeEach(async () => {
  place = await createWorkplace({ storage: 's3' })
  place.env['XDG_STATE_HOME'] = join(place.folder, 'state')
  used.clear()
  allowed = []
  between = await startS3GoBetween({
    refuse(request) {
      const right = rightFor(request)
      const given = allowed.find(
        (one) => right === one || (one.endsWith('*') && right.startsWith(one.slice(0, -1))),
      )
      if (given === undefined) return 403
      used.add(given)
      return undefined
    },
  })
})
afterEach(async () => {
  await between[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

/** Runs commands with the rights of a policy alone; all of them are used. */
async function runWith(name: string, commands: readonly (readonly string[])[]): Promise<Said[]> {
  allowed = rightsOf(name).map((right) => right.replace('YOUR-BUCKET', place.bucket?.bucket ?? ''))
  expect(allowed.length).toBeGreaterThan(0)
  const env = { ...place.env, AWS_ENDPOINT_URL: between.url }
  const input = join(place.folder, 'samples/gate-sedan-front.jpg')
  const all: Said[] = []
  for (const args of commands) {
    const said = await runInProcess(args, env, { input })
    expect(said.exitCode, `${args}: ${said.text}`).toBe(0)
    all.push(said)
  }
  expect([...used].sort()).toEqual([...allowed].sort())
  return all
}

const INGEST = ['--images', '-', '--delay', '0']

async function ingestWithAllRights(): Promise<string> {
  const input = join(place.folder, 'samples/gate-sedan-front.jpg')
  expect((await runInProcess(INGEST, place.env, { input })).exitCode).toBe(0)
  const [row] = await place.query<{ id: string }>('SELECT id FROM vehicle_snapshots')
  return row?.id ?? ''
}

test('ingesting, links that are renewed and verify --repair take the rights of the first policy, and each of them', async () => {
  await runWith('Ingest', [
    INGEST,
    ['check'],
    ['verify', '--repair', '--read-data'],
    ['url', '--refresh', '30d'],
  ])
  const [counts] = await place.query(
    'SELECT (SELECT count(*)::int FROM vehicle_snapshots) AS rows, (SELECT count(*)::int FROM plate_lookups) AS images',
  )
  expect(counts).toEqual({ rows: 1, images: 1 })
})

test('image, url, report and verify take the rights of the second, and each of them', async () => {
  const id = await ingestWithAllRights()
  const output = join(place.folder, 'out')
  const said = await runWith('Read', [
    ['image', id, '-o', output],
    ['report', '--output', output],
    ['verify'],
    ['url', id],
  ])
  // The link is signed by who has this right, and opens with it.
  const link = said.at(-1)?.text ?? ''
  expect((await fetch(link)).status).toBe(200)
})

test.skipIf(inject('s3').name === 'fauxqs')(
  'purge takes the rights of the third, and each of them, where the bucket has versions',
  async () => {
    const VersioningConfiguration = { Status: 'Enabled' as const }
    const Bucket = place.bucket?.bucket
    await place.bucket?.client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }),
    )
    await ingestWithAllRights()
    await runWith('Purge', [['purge', '--older-than', '0d', '--yes']])
    expect(await place.query('SELECT 1 FROM plate_lookups')).toEqual([])
  },
)
