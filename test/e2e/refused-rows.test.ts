import { expect, test } from 'vitest'
import { createWorkplace } from '../support/workplace.ts'

const REFUSE = `
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no rows today'; END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON vehicle_snapshots FOR EACH ROW EXECUTE FUNCTION refuse()`

test('an answer whose rows the database refuses is kept, and used when it takes them: it is billed once', async () => {
  await using place = await createWorkplace()
  const [picture = ''] = ['samples/gate-sedan-front.jpg']
  await place.query(REFUSE)
  const refused = await place.ingest([picture], ['--regions', 'gb'])
  expect(refused.exitCode).toBe(1)
  expect(refused.images[0]?.error).toMatchObject({ code: 'database_failed' })
  expect(refused.images[0]?.error?.message).toContain('no rows today')
  expect(refused.images[0]?.lookup).toBe(true)
  expect(refused.summary).toMatchObject({ failed: 1, lookups: 1, attempts: 1 })
  expect(
    await place.query(
      'SELECT response, unsettled IS NOT NULL AS kept, attempts FROM plate_lookups',
    ),
  ).toEqual([{ response: null, kept: true, attempts: 1 }])

  await place.query('DROP TRIGGER refuse ON vehicle_snapshots')
  const taken = await place.ingest([picture], ['--lost-answer', 'fail'])
  expect(taken.exitCode).toBe(0)
  expect(taken.summary).toMatchObject({ stored: 1, rows: 1, lookups: 0, attempts: 0 })
  expect(place.sandbox.billedCount()).toBe(1)
  const [entry] = await place.query<{ asked: { regions: string[] } }>(
    'SELECT asked, unsettled, attempts FROM plate_lookups',
  )
  expect(entry).toMatchObject({ asked: { regions: ['gb'] }, unsettled: null, attempts: 1 })
})
