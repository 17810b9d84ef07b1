import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { codeBlock } from '../support/documents.ts'

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
}

/** The lines of a service in the compose file, without those of its own that are deeper. */
function serviceLines(name: string): string[] {
  const [, rest = ''] = read('docker-compose.snapshot.yml').split(`\n  ${name}:\n`)
  const block = rest.split(/\n {2}\S|\n\S/)[0] ?? ''
  return block.split('\n').filter((line) => /^ {4}\S/.test(line))
}

test('the compose file runs the app without root, on a read-only root, with no capability', () => {
  const app = serviceLines('app').map((line) => line.trim())
  expect(app).toEqual(
    expect.arrayContaining([
      'user: node',
      'read_only: true',
      'cap_drop: [ALL]',
      'security_opt: ["no-new-privileges:true"]',
    ]),
  )
  expect(
    app.filter((line) => /^(privileged|cap_add|pid|network_mode|devices|userns_mode)\b/.test(line)),
  ).toEqual([])
})

test('the image itself is run by no root either, whoever starts it', () => {
  const last =
    read('Dockerfile')
      .split(/^FROM /m)
      .at(-1) ?? ''
  expect(last.match(/^USER .*$/gm)).toEqual(['USER node'])
})

test('the documents start it so without compose, and the containers’ test does as they say', () => {
  const docker = codeBlock('docker run --rm $CONFINED')
  const flags = /CONFINED="(.*)"/.exec(docker)?.[1] ?? 'none'
  expect(flags).toBe('--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges')
  expect(docker.match(/^docker run .*/gm)?.every((line) => line.includes('$CONFINED'))).toBe(true)
  expect(read('test/containers/run.sh')).toContain(`CONFINED=(${flags})`)
})

test('the compose commands of the documents name the file, services and profile that are there', () => {
  const compose = z
    .object({
      services: z.record(z.string(), z.object({ profiles: z.array(z.string()).optional() })),
    })
    .parse(parse(read('docker-compose.snapshot.yml')))
  const script = codeBlock('exec app plate-snapshot') + codeBlock('--profile minio up')
  const lines = script.split('\n').filter((line) => line.startsWith('docker compose'))
  expect(lines).toHaveLength(4)
  for (const line of lines) expect(line).toMatch(/^docker compose -f docker-compose.snapshot.yml /)
  const services = [...script.matchAll(/ exec (\w+) /g)].map(([, service]) => service)
  expect(services).toEqual(['app', 'db'])
  expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(services))
  const profiles = Object.values(compose.services).flatMap((service) => service.profiles ?? [])
  expect(profiles).toContain('minio')
  // Of what they write into .env, the file takes both.
  const names = [...script.matchAll(/([A-Z_]+)=/g)].map(([, name]) => name)
  expect(names).toEqual(['POSTGRES_PASSWORD', 'PLATE_API_KEY'])
  for (const name of names) expect(read('docker-compose.snapshot.yml')).toContain(name)
})
