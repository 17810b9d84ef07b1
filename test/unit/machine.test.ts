import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { hostOf, isAlive, thisProcess } from '../../src/machine.ts'

/** The id of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid
}

test('this process is alive', () => {
  expect(thisProcess().processId).toBe(process.pid)
  expect(isAlive(thisProcess())).toBe(true)
})

test('a process that has ended is dead', () => {
  expect(isAlive({ ...thisProcess(), processId: endedProcess() })).toBe(false)
})

test('a process that has ended is dead, though when it began is not known', () => {
  expect(isAlive({ ...thisProcess(), processId: endedProcess(), processStarted: '' })).toBe(false)
})

test('another process under the same number is not the one that was meant', () => {
  expect(isAlive({ ...thisProcess(), processStarted: 'before' })).toBe(false)
})

test('of a process on another machine nothing can be told', () => {
  expect(isAlive({ ...thisProcess(), machine: 'elsewhere 1234' })).toBeUndefined()
})

test.each<
  [
    what: string,
    changes: Partial<Record<'host' | 'id' | 'boot', string>>,
    alive: boolean | undefined,
  ]
>([
  ['another boot of the same machine is over', { boot: 'earlier' }, false],
  [
    'another boot may be of another machine of that name',
    { boot: 'earlier', id: 'other' },
    undefined,
  ],
  ['another boot may be of a machine without an id', { boot: 'earlier', id: '-' }, undefined],
  ['another machine', { host: 'elsewhere' }, undefined],
])('a process of %s', (_what, changes, alive) => {
  const [host, id, boot, ...rest] = thisProcess().machine.split(' ')
  const then = { host, id, boot, ...changes }
  const machine = [then.host, then.id, then.boot, ...rest].join(' ')
  // A machine without an id of its own cannot be told from another of its name.
  const expected = alive === false && id === '-' ? undefined : alive

  expect(isAlive({ ...thisProcess(), machine })).toBe(expected)
})

test("a machine's identity begins with the host's name", () => {
  expect(hostOf(thisProcess())).toBe(hostname())
})
