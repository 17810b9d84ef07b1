import { requireThere } from '../db/schema.ts'
import { ConfigError } from '../errors.ts'
import type { Report } from '../report/write-report.ts'
import { writeReport } from '../report/write-report.ts'
import { counted, visible } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import type { Objects } from '../storage/objects.ts'
import { openStoredObjects } from '../stored-bytes.ts'
import { openDatabase } from '../stores.ts'
import { exitCodeOf } from '../tally.ts'
import { readReportOptions } from '../viewing-options.ts'
import { requireSettings } from './settings.ts'

/** Pictures are read several at once. */
const CONNECTIONS = 4

/**
 * `plate-snapshot report`: figures, charts and pictures in one HTML file. A picture that cannot be had costs nothing but
 * itself. @returns the exit code: 1 when a picture could not be had
 */
export async function report(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readReportOptions(given)
  const settings = await requireSettings(shell.env, { api: false, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, {
    concurrency: CONNECTIONS,
    mayCreate: false,
  })
  let objects: Promise<Objects | undefined> | undefined
  const openObjects = () => {
    objects ??= openStoredObjects(shell.env, shell.signal)
    return objects
  }
  try {
    await requireThere(database)
    const written = await writeReport(database, openObjects, options, shell)
    for (const line of missingLines(written)) shell.say(line)
    shell.out(writtenLine(options.output, written))
    return exitCodeOf({ failed: written.lost.pictures }, undefined, shell.stoppedBy())
  } finally {
    const opened = await objects?.catch(() => undefined)
    opened?.close()
    await database.close()
  }
}

/** `report.html: 11 images, 10 rows, 10 pictures (0.4 MB). Open it in a browser.` */
function writtenLine(file: string, { figures, pictures, bytes }: Report): string {
  const { images, rows } = figures.totals
  const what = [counted(images, 'image'), counted(rows, 'row'), counted(pictures, 'picture')]
  return `${visible(file)}: ${what.join(', ')} (${(bytes / 1_000_000).toFixed(1)} MB). Open it in a browser.`
}

function missingLines({ lost, undecodable }: Report): string[] {
  const kinds = [
    { ...lost, said: 'could not be had', advice: 'plate-snapshot verify says more of them.' },
    { ...undecodable, said: 'cannot be shown', advice: 'The report says so in their place.' },
  ]
  return kinds.flatMap(({ pictures, first, said, advice }) =>
    first === undefined
      ? []
      : [
          `${counted(pictures, 'picture')} ${said}; the first is that of ${visible(first.source)}: ${visible(first.why)}\n${advice}`,
        ],
  )
}
