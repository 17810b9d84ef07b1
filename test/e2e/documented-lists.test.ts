import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runAsWritten } from '../support/document-shell.ts'
import { codeBlock } from '../support/documents.ts'
import { pictureWithExif } from '../support/exif-pictures.ts'
import { createWorkplace } from '../support/workplace.ts'

const LONG_AGO = new Date('2026-03-01T12:00:00Z')

test('the commands of the documents for lists, folders, photos and the archive do what they say', async () => {
  await using place = await createWorkplace()
  const old = async (...names: string[]) => {
    await place.draw(...names)
    for (const name of names) await utimes(join(place.folder, name), LONG_AGO, LONG_AGO)
  }
  await old('gate/1.jpg', 'cams/gate/2026-01.jpg', 'cams/yard/2026-02.jpg', 'inbox/a.jpg')
  await place.write('cars.jsonl', '{"image":"gate/1.jpg","camera_id":"list"}\n')
  const lists = await runAsWritten(place, codeBlock('--images cars.jsonl'))
  expect(lists.exitCode, lists.output).toBe(0)
  expect(lists.output).toContain('2 known already (not asked, not billed)')
  const cameras = place.sandbox.lookups.map(({ fields }) => fields['camera_id']?.[0])
  expect(cameras.sort()).toEqual(['gate', 'list', 'yard'])

  const archive = await runAsWritten(place, codeBlock('--images inbox --archive done'))
  expect(archive.exitCode, archive.output).toBe(0)
  expect(await readdir(join(place.folder, 'inbox'))).toEqual([])
  expect(await readdir(join(place.folder, 'done'))).toEqual(['a.jpg'])

  const exif = { DateTimeOriginal: '2026:01:31 08:30:00' }
  await place.write('photos/b.jpg', await pictureWithExif({ exif }))
  await utimes(join(place.folder, 'photos/b.jpg'), LONG_AGO, LONG_AGO)
  const photos = await runAsWritten(place, codeBlock('--captured-at exif,filename,mtime'))
  expect(photos.exitCode, photos.output).toBe(0)
  const last = place.sandbox.lookups.at(-1)
  expect(last?.fields['timestamp']).toEqual(['2026-01-31T07:30:00Z'])
})
