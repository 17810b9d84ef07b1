import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { startImageServer } from '../support/image-server.ts'
import { SAMPLE_ANSWERS } from '../support/sample-pictures.ts'

test('demo works in an empty folder, without an account, and again', async () => {
  await using folder = await emptyFolder()
  // None of the user's own settings is used, not even to complain of them.
  await using elsewhere = await startImageServer()
  const env = {
    PLATE_API_KEY: 'the0users0own0key',
    SNAPSHOT_API_URL: `${elsewhere.url}/v1/plate-reader/`,
    DATABASE_URL: 'postgresql://me:pw@127.0.0.1:1/plates',
    STORE_IMAGES: 's3',
    S3_BUCKET: 'not a bucket',
    AWS_ENDPOINT_URL: elsewhere.url,
    HTTP_PROXY: elsewhere.url,
  }
  const first = await runCli(['demo'], { cwd: folder.path, env })
  expect([first.exitCode, first.stderr]).toEqual([
    0,
    'Rows and pictures go to the embedded database in ./plate-snapshot-demo.\n',
  ])
  for (const { plate, score } of Object.values(SAMPLE_ANSWERS).flatMap(({ results }) => results)) {
    const line = new RegExp(`^${plate} +${score.toFixed(3)} `, 'm')
    if (score >= 0.5) expect(first.stdout).toMatch(line)
    else expect(first.stdout).not.toMatch(line)
  }
  expect(first.stdout).toMatch(/^plate +confidence +vehicle +model +color +region +image$/m)
  expect(first.stdout).toContain('Toyota Camry')
  expect(first.stdout).toContain('These answers came from the sandbox')
  expect(first.stdout).toContain('nothing was billed')
  expect(first.stdout).toContain('PLATE_API_KEY=')
  expect(await readdir(folder.path)).toEqual(['plate-snapshot-demo'])
  const { mode } = await stat(join(folder.path, 'plate-snapshot-demo'))
  expect(mode & 0o777).toBe(0o700)
  expect(first.stdout).toContain('Open plate-snapshot-demo/report.html in a browser')
  const report = await readFile(join(folder.path, 'plate-snapshot-demo/report.html'), 'utf8')
  expect(report.match(/<li class="card"/g)).toHaveLength(10)

  const second = await runCli(['demo'], { cwd: folder.path, env })
  expect(second.exitCode).toBe(0)
  expect(second.stdout).toContain('12 known already (not asked, not billed)')
  expect(tableOf(second.stdout)).toBe(tableOf(first.stdout))
  expect(elsewhere.requests).toEqual([])
})

function tableOf(stdout: string): string {
  return /^plate [\s\S]*?\n\n/m.exec(stdout)?.[0] ?? 'no table'
}

async function emptyFolder() {
  const path = await mkdtemp(join(tmpdir(), 'plate-snapshot-demo-'))
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
