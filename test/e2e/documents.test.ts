import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ran, runAsWritten, runNpmScript, runSnippet } from '../support/document-shell.ts'
import { codeBlock, outputOf } from '../support/documents.ts'
import { pathOf } from '../support/programs.ts'
import { withoutCircumstances, withoutIds } from '../support/shown-output.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const LIST = readFileSync(new URL('../../images.txt.example', import.meta.url), 'utf8')

/** What each query of the documents says about the sample pictures: a value that stands in its rows. */
const QUERIES: [query: string, value: string][] = [
  [codeBlock('"make": "Toyota"'), 'ae010i'],
  [codeBlock('WHERE plate_confidence > 0.9'), 'io108uo'],
  [codeBlock("c->>'plate' = lower"), 'gate-sedan-front.jpg'],
  [codeBlock('FROM image_sources'), 'samples/copy-of-gate-sedan-front.jpg'],
  [codeBlock('perhaps_billed_twice'), '11'],
  [codeBlock('FROM image_failures'), '[]'],
]

test('npm run demo prints what the README shows, and the queries of the documents find it in its embedded database', async () => {
  const [command = ''] = codeBlock('npm ci && npm run demo').split('\n')
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-npm-'))
  try {
    const ran = await runNpmScript(command.split('npm run ')[1] ?? '', folder)
    const { exitCode, output, errors } = ran
    expect(exitCode, errors).toBe(0)
    expect(output).toContain('These answers came from the sandbox')
    const shown = linesOf(outputOf(codeBlock('npm ci && npm run demo')))
    expect(linesOf(output)).toEqual(expect.arrayContaining(shown))

    await using embedded = await PGlite.create({
      dataDir: join(folder, 'plate-snapshot-demo/pgdata'),
    })
    for (const [query, value] of QUERIES) {
      expect(JSON.stringify((await embedded.query(query)).rows), query).toContain(value)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

/** Of two files with the same picture either may be the first: then its row has the other name, and another place. */
function linesOf(output: string): string[] {
  const same = withoutCircumstances(output).replaceAll('copy-of-', '').replace(/ {2,}/g, '  ')
  return same.trimEnd().split('\n')
}

describe('on a server database with images in S3, after a run over the sample pictures, the documents show what comes of', () => {
  let place: Workplace
  beforeAll(async () => {
    place = await createWorkplace({ storage: 's3' })
    await place.write('images.txt.example', LIST)
    const flags = ['--mmc', '--delay', '0', '--camera-id', 'gate-1']
    const { exitCode } = await place.run(['--images', 'images.txt.example', ...flags])
    expect(exitCode).toBe(0)
  })
  afterAll(() => place[Symbol.asyncDispose]())

  const shown = [
    codeBlock('plates --make toyota'),
    codeBlock('plates --like IQ7OOTX'),
    codeBlock('plate-snapshot query'),
    codeBlock('--crop plate -o plate.jpg'),
    codeBlock('report -o report.html'),
    codeBlock('--expires 12h'),
    codeBlock('url --refresh 2d'),
    codeBlock('purge --plate'),
  ].map((block): [line: string, block: string] => [block.trim(), block])
  test.each(shown)('%s', async (_line, command) => {
    const { output } = await runAsWritten(place, command, { TZ: 'Europe/Berlin' })
    expect(withoutIds(output)).toEqual(withoutIds(outputOf(command)))
  })

  test('the queries, which find what they are about', async () => {
    for (const [query, value] of QUERIES) {
      expect(JSON.stringify(await place.query(query)), query).toContain(value)
    }
  })

  test('the snippet for S3, which signs links that open', async () => {
    const { exitCode, output, errors } = await runSnippet(codeBlock('getSignedUrl'), place.env)
    expect(exitCode, errors).toBe(0)
    const [plate, link = ''] = output.trim().split(' ')
    expect(plate).toBe('iq70otx')
    const response = await fetch(link)
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    expect((await response.arrayBuffer()).byteLength).toBe(108_060)
  })
})

describe('in a folder of one’s own, with images in the database,', () => {
  let place: Workplace
  let first: Ran
  beforeAll(async () => {
    place = await createWorkplace({ isMigrated: false })
    await place.write('images.txt', 'samples/avenue-motorcycle-rear.jpg\n')
    await place.write('images.txt.example', 'samples/desert-pickup-rear.jpg\n')
    first = await runAsWritten(place, codeBlock('npx plate-snapshot check\n'))
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('the commands of the README make the database, take a list through, and know it the next time', async () => {
    expect(first.exitCode, first.output).toBe(0)
    expect(first.output).toContain('1 below the threshold')
    const again = await runAsWritten(place, codeBlock('PLATE_API_KEY=your-token npx'))
    expect(again.exitCode, again.output).toBe(0)
    expect(again.output).toContain('1 known already')
    const sandbox = codeBlock('8899/ npx plate-snapshot')
    const tried = await runAsWritten(
      place,
      sandbox.replace('http://127.0.0.1:8899/', place.sandbox.url),
    )
    expect(tried.exitCode, tried.output).toBe(0)
    expect(tried.output).toContain('1 stored')
  })

  test('another threshold, a list of strangers and the lines for cron do what the documents say', async () => {
    const stricter = await runAsWritten(place, codeBlock('reprocess --confidence-threshold'))
    expect(stricter.exitCode, stricter.output).toBe(0)
    const ofStrangers = await runAsWritten(place, codeBlock('--public-only --no-local'))
    expect(ofStrangers.exitCode).toBe(1)
    expect(ofStrangers.output).toContain('[path_refused]')
    for (const [line, log, said] of [
      [codeBlock('--failed failed.txt >> ingest.log'), 'ingest.log', '1 known already'],
      [codeBlock('purge --older-than 90d --yes'), 'purge.log', 'Purged 0 images'],
    ] as const) {
      const command = line.replace(/^(\S+ +){5}/, '').replace('/srv/plates', place.folder)
      expect((await runAsWritten(place, command)).exitCode, command).toBe(0)
      expect(await readFile(join(place.folder, log), 'utf8'), command).toContain(said)
    }
  })

  test.skipIf(pathOf('psql') === undefined)('psql applies the schema', async () => {
    await place.write(
      'db_schema.sql',
      readFileSync(new URL('../../db_schema.sql', import.meta.url)),
    )
    const { exitCode, output } = await runAsWritten(place, codeBlock('psql -v ON_ERROR_STOP=1'))
    expect(exitCode, output).toBe(0)
  })

  test('the snippet for the library looks up and runs a list, and the one for the database writes the picture', async () => {
    const ran = await runSnippet(codeBlock("from 'plate-snapshot'"), place.env)
    expect(ran.exitCode, ran.errors).toBe(0)
    expect(ran.output).toContain('qxoi104 0.952')
    expect(ran.output).toContain('stored: 1, lookups: 1')
    const written = await runSnippet(codeBlock('image_data IS NOT NULL'), place.env)
    expect(written.exitCode, written.errors).toBe(0)
    expect(written.output).toMatch(/^[0-9a-f-]{36}: 108060 bytes\n$/)
  })
})
