import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const folder = new URL('../../.github/workflows/', import.meta.url)

const permissions = z.record(z.string(), z.enum(['read', 'write']))
const step = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
})
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions,
  jobs: z.record(
    z.string(),
    z.object({
      permissions: permissions.optional(),
      environment: z.string().optional(),
      steps: z.array(step),
    }),
  ),
})

const FILES = readdirSync(folder).map((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  return { file, text, ...workflow.parse(parse(text)) }
})
const named = (name: string) => FILES.find(({ file }) => file === name)

test('the workflows are CI and the release', () => {
  expect(FILES.map(({ file }) => file).toSorted()).toEqual(['ci.yml', 'release.yml'])
})

test.each(FILES)(
  '$file takes every action by its commit, and says which version that is',
  ({ text, jobs }) => {
    const steps = Object.values(jobs).flatMap(({ steps }) => steps)
    const used = steps.flatMap(({ uses }) => uses ?? [])
    const lines = text.split('\n').filter((line) => /\buses:/.test(line))
    expect(lines).toHaveLength(used.length)
    for (const line of lines) {
      expect(line).toMatch(/^ +- uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
    }
    // One version of each, in all files.
    const pins = new Map(
      FILES.flatMap(({ text }) =>
        [...text.matchAll(/uses: (\S+)@(.*)$/gm)].map(([, name, pin]) => [name, pin]),
      ),
    )
    for (const line of lines) {
      const [, name, pin] = /uses: (\S+)@(.*)$/.exec(line) ?? []
      expect(pin).toBe(pins.get(name))
    }
  },
)

test.each(FILES)(
  '$file leaves no token in the checkout, and puts nobody’s text into a command',
  ({ jobs, text }) => {
    for (const { uses, run, with: settings } of Object.values(jobs).flatMap(({ steps }) => steps)) {
      if (uses?.startsWith('actions/checkout@'))
        expect(settings?.['persist-credentials']).toBe(false)
      expect(run ?? '').not.toContain('${{')
    }
    expect(text).not.toContain('secrets.')
    expect(text).not.toContain('pull_request_target')
  },
)

test('CI may read, and nothing else', () => {
  const ci = named('ci.yml')
  expect(ci?.permissions).toEqual({ contents: 'read' })
  const permitted = Object.values(ci?.jobs ?? {}).map(({ permissions }) => permissions)
  expect(permitted).toEqual(permitted.map(() => undefined))
})

test('a release begins with a tag; only the job that runs none of our code or others’ may publish', () => {
  const release = named('release.yml')
  expect(release?.on).toEqual({ push: { tags: ['v*'] } })
  expect(release?.permissions).toEqual({})
  const jobs = Object.entries(release?.jobs ?? {})
  expect(
    jobs.map(([name, { permissions, environment }]) => [name, permissions, environment]),
  ).toEqual([
    ['package', { contents: 'read' }, undefined],
    ['publish', { contents: 'read', 'id-token': 'write' }, 'npm'],
    ['bills', { contents: 'write' }, undefined],
  ])
  const [first, ...others] = jobs.map(([, { steps }]) =>
    steps.map(({ run }) => run ?? '').join('\n'),
  )
  for (const words of ['package.json', 'npm ci', 'npm test', 'npm sbom'])
    expect(first).toContain(words)
  expect(others.join('\n')).not.toMatch(/npm (ci|install|test|run)/)
  expect(others[0]).toContain('--provenance')
})
