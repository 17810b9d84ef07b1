import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createWorkplace, names } from '../support/workplace.ts'

const runProgram = promisify(execFile)

describe('the images file', () => {
  test.each<[what: string, text: string]>([
    ['a byte order mark', '\uFEFFone.jpg\ntwo.jpg\n'],
    ['CRLF line ends', 'one.jpg\r\ntwo.jpg\r\n'],
    ['comments and blank lines', '# first\n\none.jpg\n   \n  # second\ntwo.jpg\n'],
    ['white space around the lines', '  one.jpg\t\n\ttwo.jpg  '],
    ['no line end at its end', 'one.jpg\ntwo.jpg'],
  ])('may have %s', async (_, text) => {
    await using place = await createWorkplace()
    await place.draw('one.jpg', 'two.jpg')
    await place.write('list.txt', text)
    const { exitCode, images } = await place.run(['--images', 'list.txt', '--json'])
    expect(exitCode).toBe(0)
    const lines = text.split('\n')
    const seen = images.map(({ source, line }) => [source, lines[line - 1]?.includes(source)])
    expect(seen.sort()).toEqual([
      ['one.jpg', true],
      ['two.jpg', true],
    ])
  })

  test('may name files with blanks and letters of any script', async () => {
    await using place = await createWorkplace()
    const odd = ['Größe 1.jpg', '車 2.jpg', "it's 100% #3.jpg"]
    await place.draw(...odd)
    const { exitCode, images } = await place.ingest(odd)
    expect(exitCode).toBe(0)
    expect(images.map(({ source }) => source).sort()).toEqual(odd.sort())
  })

  test('that holds no image is a run of nothing', async () => {
    await using place = await createWorkplace()
    await place.write('list.txt', '# nothing today\n')
    const { exitCode, summary } = await place.run(['--images', 'list.txt', '--json'])
    expect([exitCode, summary.images]).toEqual([0, 0])
  })

  test.each([
    ['does not exist', 'none.txt', 'none.txt does not exist.'],

    [
      'is a picture itself',
      'samples/gate-sedan-front.jpg',
      'samples/gate-sedan-front.jpg holds no text',
    ],
  ])('that %s is exit 2', async (_, list, said) => {
    await using place = await createWorkplace()
    const { exitCode, stderr } = await place.run(['--images', list])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`--images ${said}`)
  })

  test('may be a named pipe, whose writer is not cut off', async () => {
    await using place = await createWorkplace()
    await place.draw(...names(3))
    const pipe = join(place.folder, 'list.pipe')
    await runProgram('mkfifo', [pipe])
    const text = `${names(3).join('\n')}\n`
    // A shell that fails when nobody reads any more.
    const writer = spawn('sh', ['-c', 'printf %s "$1" > "$0"', pipe, text])
    const closed = once(writer, 'close')
    const { summary } = await place.run(['--images', 'list.pipe', '--delay', '0', '--json'])
    expect(summary.images).toBe(3)
    expect(await closed).toEqual([0, null])
  })

  test('is standard input when it is -, read as it comes', async () => {
    await using place = await createWorkplace()
    await place.draw('one.jpg', 'two.jpg')
    const args = ['--images', '-', '--delay', '0', '--json']
    const running = await place.start(args, { input: 'one.jpg\n', keepInputOpen: true })
    await running.untilSaid(/"line":1,"source":"one\.jpg"/)
    running.feed('# more\r\ntwo.jpg')
    running.endInput()
    const { exitCode, images, summary } = await running.ended
    expect(exitCode).toBe(0)
    expect(images.map(({ line, source }) => [line, source])).toEqual([
      [1, 'one.jpg'],
      [3, 'two.jpg'],
    ])
    expect(summary.images).toBe(2)
  })

  test('that goes away while it is read stops nothing that was begun', async () => {
    await using place = await createWorkplace()
    const lines = await place.draw(...names(3))
    await place.write('list.txt', lines.join('\n'))
    const running = await place.start(['--images', 'list.txt', '--json'])
    await running.untilSaid(/"event":"image"/)
    await writeFile(join(place.folder, 'list.txt'), '')
    const { exitCode, summary } = await running.ended
    expect([exitCode, summary.images]).toEqual([0, 3])
  })
})
