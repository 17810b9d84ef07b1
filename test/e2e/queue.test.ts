import { expect, test } from 'vitest'
import { createWorkplace } from '../support/workplace.ts'

test('a queue is looked after from the command line', async () => {
  await using place = await createWorkplace()
  const missing = await place.run(['queue', 'status'])
  expect(missing.exitCode).toBe(3)
  expect(missing.stderr).toMatch(
    /has no queue yet\. \[schema_missing\]\nRun: plate-snapshot migrate/,
  )

  await place.run(['migrate'])
  // The API's address gives nobody a picture: 403.
  const link = `${place.sandbox.url}?X-Amz-Signature=secret1`
  await place.write('notes.jpg', 'no image')
  const input = `samples/gate-sedan-front.jpg\nnotes.jpg\n${link}\n`
  await place.run(['enqueue', '--images', '-'], { input })
  await place.run(['work', '--until-empty', '--delay', '0', '--quiet'])

  const status = await place.run(['queue', 'status', '--json'])
  expect([status.exitCode, status.stderr]).toEqual([0, ''])
  const byCode = { not_an_image: 1, http_forbidden: 1 }
  expect(status.records).toMatchObject([
    { event: 'queue', waiting: 0, at_work: 0, done_24h: 1, failed: { total: 2, by_code: byCode } },
  ])
  const failed = await place.run(['queue', 'failed', '--json', '--reason', 'http_forbidden'])
  expect(failed.exitCode).toBe(0)
  const source = link.replace(/\?.*/, '')
  expect(failed.records).toMatchObject([{ source, code: 'http_forbidden', tries: 1 }])
  expect(failed.stdout + failed.stderr).not.toContain('secret1')

  const again = await place.run(['queue', 'retry-failed', '--reason', 'not_an_image'])
  expect(again.stdout).toBe('1 line back in the queue, with fresh tries.\n')
  const cleared = await place.run(['queue', 'clear', '--yes'])
  expect(cleared.stdout).toBe('Deleted 1 waiting line.\n')
})

test('a queue that is meant wrongly is refused before anything is opened', async () => {
  await using place = await createWorkplace({ database: 'embedded', isNew: true })
  const wrong = await place.run(['queue', 'frobnicate'])
  expect([wrong.exitCode, wrong.stdout]).toEqual([2, ''])
  expect(wrong.stderr).toContain(
    'There is no queue frobnicate. These are: status, failed, retry-failed, clear, pace.',
  )
  const flag = await place.run(['queue', 'status', '--yes'])
  expect([flag.exitCode, flag.stdout]).toEqual([2, ''])
  expect(flag.stderr).toContain('--yes is for queue clear, not for queue status.')

  const nowhere = await place.run(['queue', 'status'])
  expect(nowhere.exitCode).toBe(3)
  expect(nowhere.stderr).toMatch(/There is no database yet: .*\[folder_unusable\]/)
})
