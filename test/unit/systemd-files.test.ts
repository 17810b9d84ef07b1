import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { INGEST_FLAGS } from '../../src/flags.ts'
import { readIngestOptions } from '../../src/options.ts'
import { codeBlock } from '../support/documents.ts'

const folder = new URL('../../docs/systemd/', import.meta.url)

/** The settings of a unit; of one that stands there more than once, the last. */
function unitOf(name: string): Map<string, string> {
  const lines = readFileSync(new URL(name, folder), 'utf8').split('\n')
  const settings = lines
    .filter((line) => /^[A-Z]\w+=/.test(line))
    .map((line) => line.split(/=(.*)/s))
  return new Map(settings.map(([key = '', value = '']) => [key, value]))
}

const service = unitOf('plate-snapshot.service')
const [command = '', ...args] = (service.get('ExecStart') ?? '').split(' ')

test('the service calls the bin itself, with flags that there are', () => {
  expect(command).toBe('/usr/local/bin/plate-snapshot')
  const flags = Object.values(INGEST_FLAGS).map(({ flags }) => flags.split(' ')[0])
  const used = args.filter((arg) => arg.startsWith('--'))
  expect(used.length).toBeGreaterThan(0)
  for (const flag of used) expect(flags).toContain(flag)
})

test('a stop leaves more time than a run needs to finish its lookups, and is no failure', () => {
  const { grace = Number.NaN } = readIngestOptions({ images: '-' }).options ?? {}
  expect(Number(service.get('TimeoutStopSec'))).toBeGreaterThanOrEqual(2 * grace)
  expect(service.get('KillSignal')).toBe('SIGTERM')
  expect(service.get('SuccessExitStatus')).toBe('143')
})

test('what the service writes is among the folders that it may write, and the document makes them', () => {
  const writable = [...(service.get('ReadWritePaths') ?? '').split(' '), '/var/lib/plate-snapshot']
  const paths = args.filter((arg) => arg.startsWith('/'))
  for (const path of paths) {
    expect(
      writable.some((place) => `${path}/`.startsWith(`${place}/`)),
      path,
    ).toBe(true)
  }
  expect(service.get('StateDirectory')).toBe('plate-snapshot')
  const made = codeBlock('systemctl enable --now plate-snapshot.timer')
  for (const path of ['/srv/cameras', '/srv/archive']) expect(made).toContain(path)
  expect(made).toContain(`useradd --system ${service.get('User')}\n`)
  expect(made).toContain(service.get('EnvironmentFile'))
})

test('the timer starts the service of its name, also after the machine was off', () => {
  expect(existsSync(new URL('plate-snapshot.service', folder))).toBe(true)
  const timer = unitOf('plate-snapshot.timer')
  expect([timer.get('Persistent'), timer.get('WantedBy')]).toEqual(['true', 'timers.target'])
  expect(timer.get('OnCalendar')).toBe('*:0/10')
})
