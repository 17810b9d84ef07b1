import type { TestProject } from 'vitest/node'
import { makeEmbeddedTemplate } from './embedded-template.ts'
import { startPostgres } from './postgres.ts'
import { type S3Address, startS3 } from './s3.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    s3: S3Address
    /** The folder of an empty embedded database, to be copied. */
    embeddedTemplate: string
  }
}

/** Starts what the tests run on, once for all of them. `vitest run test/unit` does without. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const asked = process.argv.filter((argument) => argument.startsWith('test/'))
  if (asked.length > 0 && asked.every((path) => path.startsWith('test/unit'))) return undefined

  const starting = [startPostgres(), startS3(), makeEmbeddedTemplate()] as const
  const stop = async () => {
    const started = await Promise.allSettled(starting)
    await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value.stop()))
  }
  try {
    const [postgres, server, template] = await Promise.all(starting)
    // Its facts only: methods do not travel to the tests.
    const s3: S3Address = JSON.parse(JSON.stringify(server))
    console.log(`test PostgreSQL: ${postgres.name}`)
    console.log(
      s3.verifiesSignatures
        ? `test S3: ${s3.name} (verifies signatures)`
        : `test S3: ${s3.name} (SKIPPED: the tests of signatures and expiry, which it does not verify)`,
    )
    project.provide('postgresUrl', postgres.url)
    project.provide('s3', s3)
    project.provide('embeddedTemplate', template.folder)
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}
