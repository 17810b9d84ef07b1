import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFailed, test, vi } from 'vitest'
import { type Decoder, type DecoderOptions, openDecoder } from '../../src/decoding/decoder.ts'
import { pngBomb } from '../support/bombs.ts'
import { drawPicture } from '../support/drawn-images.ts'
import { FRAGILE, TROUBLE } from '../support/fragile-decoder.ts'

const BOX = { xmin: 2, ymin: 1, xmax: 6, ymax: 5 }
const opened: Decoder[] = []
afterAll(() => Promise.all(opened.map((decoder) => decoder.close())))

function open(options?: DecoderOptions): Decoder {
  const decoder = openDecoder(options)
  opened.push(decoder)
  return decoder
}

/** What a fragile decoder's process says of itself. */
async function whoIs(decoder: Decoder): Promise<{ pid: number; env: object }> {
  const { bytes } = await decoder.crop(TROUBLE.who, BOX, undefined)
  return JSON.parse(Buffer.from(bytes).toString())
}

/** Nothing is left of it, or only the note of its end that nobody has read. */
async function hasEnded(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) === ''
}

const messageOf = (decoding: Promise<unknown>) =>
  decoding.then(
    () => 'done',
    (thrown) => `${thrown.code}: ${thrown.message}`,
  )

test('pictures are cut and made small in one process of their own, which sees no setting', async () => {
  vi.stubEnv('PLATE_API_KEY', 'decoder0secret')
  const decoder = open({ program: FRAGILE })
  const { pid, env } = await whoIs(decoder)
  // The one variable is libvips's own.
  expect([pid === process.pid, { ...env, VIPSHOME: '' }]).toEqual([false, { VIPSHOME: '' }])
  const crop = await decoder.crop(await drawPicture('png'), BOX, undefined)
  expect(crop).toMatchObject({ mime: 'image/png', width: 4, height: 4 })
  const shown = await decoder.show(await drawPicture('jpeg'), [{ box: BOX }, {}])
  expect(shown.map(({ frame, box, plate }) => [frame, box, plate?.width])).toEqual([
    [{ width: 8, height: 6 }, BOX, 6],
    [{ width: 8, height: 6 }, undefined, undefined],
  ])
  expect((await whoIs(decoder)).pid).toBe(pid)
})

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"><rect width="8"/></svg>'
const TOO_MANY = 'it has 50000 x 50000 pixels; the limit is 200000000 in all'

test('what cannot be decoded is told of as such, and the process goes on', async () => {
  const decoder = open({ program: FRAGILE })
  const { pid } = await whoIs(decoder)
  const said = (bytes: Buffer, box = BOX) => messageOf(decoder.crop(bytes, box, undefined))
  const format = /^undecodable: The picture cannot be decoded: Input buffer .*unsupported/
  for (const bytes of [Buffer.from('no picture'), Buffer.from(SVG)]) {
    expect(await said(bytes)).toMatch(format)
  }
  expect(await said(pngBomb())).toBe(`undecodable: The picture cannot be decoded: ${TOO_MANY}.`)
  expect(await messageOf(decoder.show(pngBomb(), [{}]))).toContain(TOO_MANY)
  const outside = { xmin: 8, ymin: 0, xmax: 9, ymax: 1 }
  expect(await said(await drawPicture('png'), outside)).toMatch(/^no_box: .* of 8 x 6 pixels\.$/)
  expect(await messageOf(decoder.show(TROUBLE.nonsense, []))).toMatch(/^undecodable: .*no picture/)
  expect((await whoIs(decoder)).pid).toBe(pid)
})

test('a crash and a hang cost one picture each, also those that wait for their turn', async () => {
  const decoder = open({ program: FRAGILE, atOnce: 2, timeLimitMs: 4_000 })
  const picture = await drawPicture('jpeg')
  const { pid } = await whoIs(decoder)
  const all = [TROUBLE.hang, picture, TROUBLE.crash, picture, TROUBLE.crash, picture]
  const said = await Promise.all(all.map((bytes) => messageOf(decoder.show(bytes, [{}]))))
  const crashed = 'undecodable: The picture cannot be decoded: the decoder crashed (SIGABRT).'
  const hung = 'undecodable: The picture cannot be decoded: not done within 4 s.'
  expect(said).toEqual([hung, 'done', crashed, 'done', crashed, 'done'])
  await vi.waitUntil(() => hasEnded(pid), 10_000)
})

test('Ctrl-C is left to the parent, and a process that was killed while it rested costs nothing', async () => {
  const decoder = open({ program: FRAGILE })
  const { pid } = await whoIs(decoder)
  for (const signal of ['SIGINT', 'SIGTERM']) process.kill(pid, signal)
  expect((await whoIs(decoder)).pid).toBe(pid)
  process.kill(pid, 'SIGKILL')
  await vi.waitUntil(() => hasEnded(pid), 10_000)
  expect((await whoIs(decoder)).pid).not.toBe(pid)
})

test('closing ends what hangs and what waits, and leaves no process', async () => {
  const decoder = openDecoder({ program: FRAGILE })
  const { pid } = await whoIs(decoder)
  const all = [TROUBLE.hang, await drawPicture('png')]
  const jobs = all.map((bytes) => messageOf(decoder.show(bytes, [{}])))
  await decoder.close()
  expect(await hasEnded(pid)).toBe(true)
  for (const said of await Promise.all(jobs)) expect(said).toMatch(/^undecodable/)
})

test('a decoder ends with its owner, however that ended, also while it hangs', async () => {
  const program = fileURLToPath(new URL('../support/decoder-owner.ts', import.meta.url))
  const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(owner.stdout, 'data')
  const pid = Number(line)
  expect([await hasEnded(pid), owner.exitCode]).toEqual([false, null])
  owner.kill('SIGKILL')
  // A test that fails is not to leave it at work for half an hour.
  onTestFailed(() => void process.kill(pid, 'SIGKILL'))
  await vi.waitUntil(() => hasEnded(pid), 10_000)
})
