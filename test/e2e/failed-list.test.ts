import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startImageServer } from '../support/image-server.ts'
import { pictureOf } from '../support/sample-pictures.ts'
import { createWorkplace, names } from '../support/workplace.ts'

describe('--failed', () => {
  test('writes the lines that failed, verbatim, into a file that --images takes', async () => {
    let isUp = false
    await using server = await startImageServer({
      '/car.jpg': (_, response) => {
        response.writeHead(isUp ? 200 : 403).end(isUp ? pictureOf('car') : 'expired')
      },
    })
    await using place = await createWorkplace()
    const signed = `${server.url}/car.jpg?X-Amz-Signature=s1gnature&w=2`
    const lines = ['samples/gate-sedan-front.jpg', signed, '  late.jpg  ', '# a comment']
    const first = await place.ingest(lines, ['--failed', 'again.txt', '--concurrency', '1'])
    expect(first.exitCode).toBe(1)
    const again = join(place.folder, 'again.txt')
    expect(await readFile(again, 'utf8')).toBe(`${signed}\nlate.jpg\n`)
    expect((await stat(again)).mode & 0o777).toBe(0o600)

    isUp = true
    await place.draw('late.jpg')
    const second = await place.run(['--images', 'again.txt', '--failed', 'again.txt', '--json'])
    expect(second.exitCode).toBe(0)
    expect(second.summary).toMatchObject({ images: 2, no_plate: 2, lookups: 2 })
    expect(await readFile(again, 'utf8')).toBe('')
  })

  test('may be the list itself, which then holds what is left to do', async () => {
    await using place = await createWorkplace()
    await place.draw('one.jpg', 'three.jpg')
    await place.write('list.txt', 'one.jpg\ntwo.jpg\nthree.jpg\n')
    const run = await place.run(['--images', 'list.txt', '--failed', 'list.txt', '--json'])
    expect(run.summary).toMatchObject({ images: 3, failed: 1 })
    expect(await readFile(join(place.folder, 'list.txt'), 'utf8')).toBe('two.jpg\n')
  })

  test.each<[why: string, flags: string[], env: Record<string, string>]>([
    ['stops early', ['--max-lookups', '1', '--concurrency', '1'], {}],
    ['cannot even begin', [], { DATABASE_URL: 'postgresql://127.0.0.1:1/none' }],
  ])('that is the list itself stays whole when the run %s', async (_, flags, env) => {
    await using place = await createWorkplace()
    const pictures = await place.draw(...names(4))
    const list = ['missing.jpg', ...pictures, '']
    await place.write('list.txt', list.join('\n'))
    const args = ['--images', 'list.txt', '--failed', './list.txt', ...flags]
    const run = await place.run(args, { env })
    expect(run.exitCode).toBe(3)
    expect(await readFile(join(place.folder, 'list.txt'), 'utf8')).toBe(list.join('\n'))
    expect(await readdir(place.folder)).not.toContain('list.txt.part')
  })

  test('that cannot be written is exit 2, before anything is begun', async () => {
    await using place = await createWorkplace()
    const run = await place.ingest(['samples/gate-sedan-front.jpg'], ['--failed', 'no/such/file'])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('--failed ')
    expect(place.sandbox.lookups).toEqual([])
  })
})
