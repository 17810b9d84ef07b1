import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readmeBlocks } from '../support/readme.ts'

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

test('the README starts it so without compose, and the containers’ test does as the README says', () => {
  const docker =
    readmeBlocks('sh').find((block) => block.includes('docker run --rm $CONFINED')) ?? ''
  const flags = /CONFINED="(.*)"/.exec(docker)?.[1] ?? 'none'
  expect(flags).toBe('--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges')
  expect(docker.match(/^docker run .*/gm)?.every((line) => line.includes('$CONFINED'))).toBe(true)
  expect(read('test/containers/run.sh')).toContain(`CONFINED=(${flags})`)
})
