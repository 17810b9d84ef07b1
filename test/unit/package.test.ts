import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { dependencies, lockedForUsers } from '../support/dependencies.ts'
import { tableOf } from '../support/documents.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const megabytesIn = (text = '') => Number(/^([\d.]+) MB$/.exec(text)?.[1])

test('the table of dependencies names each with its reason, its license and about its size', () => {
  const { direct, bytes } = dependencies()
  const rows = tableOf('package')
  const links = direct.map(({ name }) => `[${name}](https://www.npmjs.com/package/${name})`)
  expect(rows.map(([package_]) => package_)).toEqual([...links, 'all together'])
  expect(rows.map(([, , license]) => license)).toEqual([
    ...direct.map(({ license }) => license),
    '',
  ])
  for (const [name, why] of rows) expect(why, name).toMatch(/.{5}/)
  // Platforms differ, and so does each new version, a little.
  for (const [n, size] of [...direct.map(({ bytes }) => bytes), bytes].entries()) {
    const [name, , , told] = rows[n] ?? []
    expect(megabytesIn(told), name).toBeGreaterThan(size / 2_000_000 - 0.1)
    expect(megabytesIn(told), name).toBeLessThan(size / 500_000 + 0.1)
  }
})

test('nothing that users install runs a script then, and each package is the one that was locked', () => {
  const locked = lockedForUsers()
  expect(locked.length).toBeGreaterThan(100)
  expect(locked.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
  expect(locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([])
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(`${root}package.json`, 'utf8')))
  // `prepare` is for checkouts: npm does not run it for a package from the registry.
  expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([])
})

test('the published package holds what runs, its samples and its papers, and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ files }] = z
    .tuple([z.object({ files: z.array(z.object({ path: z.string() })) })])
    .parse(JSON.parse(output))
  const built = globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
    const name = file.replace(/^src/, 'dist').replace(/\.ts$/, '')
    return [`${name}.js`, `${name}.d.ts`]
  })
  const wanted = [
    ...built,
    ...['dist/report/page.css', 'dist/report/page.js'],
    ...globSync('samples/*.{jpg,png}', { cwd: root }),
    // Messages name these pages.
    ...globSync('docs/{*.md,report.webp,systemd/*}', { cwd: root }),
    ...['samples/answers.json', 'db_schema.sql', 'images.txt.example'],
    ...['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json'],
  ]
  expect(files.map(({ path }) => path).toSorted()).toEqual(wanted.toSorted())
})
