import { access, constants, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { captureTime } from './capture-time.ts'
import { SpoolError, systemCodeOf } from './errors.ts'
import { requireNotPlanted } from './planted.ts'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
/** Added to, made when missing, and nowhere else: a link in its place is refused. */
const APPENDING = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW

const optionalText = z.string().optional()

/** An answer that was paid for and that the database could not be told: all that its rows are made of, without bytes. */
const spooledAnswer = z.object({
  /** The run that asked. */
  run: z.string(),
  sha256: z.string(),
  source: optionalText,
  mime: optionalText,
  size: z.number().optional(),
  object: z.object({ bucket: z.string(), key: z.string() }).optional(),
  question: z.object({
    regions: z.array(z.string()),
    mmc: z.boolean(),
    cameraId: optionalText,
    engineConfig: z.record(z.string(), z.unknown()).optional(),
  }),
  /** What was wanted of it. */
  threshold: z.number(),
  meta: z.record(z.string(), z.unknown()).optional(),
  captured: captureTime.optional(),
  /** The answer as the API sent it, and what had to be replaced in it. */
  raw: z.unknown(),
  mended: z.array(z.string()).optional(),
  attempts: z.number(),
  uncertain: z.number(),
  /** When the answer came, in ISO 8601. */
  answeredAt: z.string(),
})
export type SpooledAnswer = z.infer<typeof spooledAnswer>

/** Where a run brings answers to safety while the database is away. */
export interface Spool {
  readonly file: string
  /** Answers in the file that the database was not told since. */
  readonly left: number
  /** Answers that could be kept neither here nor, until now, in the database. */
  readonly unkept: number
  /** Writes an answer, and resolves when it is on the disk. @throws {SpoolError} */
  keep(answer: SpooledAnswer): Promise<void>
  /** The database has it: the file goes when it holds nothing else. */
  settled(sha256: string): Promise<void>
}

/** This tool's place in the user's state folder (XDG Base Directory Specification: relative values are ignored). */
export function stateFolder(xdgStateHome: string): string {
  const base = isAbsolute(xdgStateHome) ? xdgStateHome : join(homedir(), '.local', 'state')
  return join(base, 'plate-snapshot')
}

/**
 * The spool of one run: one file, a line an answer, made when the first comes (mode 0600: plates are personal data).
 * @param databaseId the database's own id: a run on the same database reads the file in
 */
export function createSpool(folder: string, databaseId: string, runId: string): Spool {
  const file = join(folder, `answers-${databaseId}-${runId}.jsonl`)
  const kept = new Set<string>()
  const unkept = new Set<string>()
  let writing: Promise<unknown> = Promise.resolve()

  /** One after the other: two writes at once could mix their lines. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = writing.then(work)
    writing = mine.catch(() => {})
    return mine
  }

  return {
    file,
    get left() {
      return kept.size
    },
    get unkept() {
      return unkept.size
    },
    keep: (answer) =>
      inTurn(async () => {
        if (kept.has(answer.sha256)) return
        try {
          await makeFolder(folder)
          // Opened each time: another run may have read the file in and removed it.
          const handle = await open(file, APPENDING, 0o600)
          try {
            await handle.appendFile(`${JSON.stringify(answer)}\n`)
            await handle.sync()
          } finally {
            await handle.close()
          }
        } catch (cause) {
          unkept.add(answer.sha256)
          throw new SpoolError(file, cause)
        }
        unkept.delete(answer.sha256)
        kept.add(answer.sha256)
      }),
    settled: (sha256) =>
      inTurn(async () => {
        unkept.delete(sha256)
        if (kept.delete(sha256) && kept.size === 0) await removeIfThere(file)
      }),
  }
}

/** Could answers be kept there, if it came to that? The folder is made. @throws {SpoolError} */
export async function checkSpool(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
    await access(folder, constants.W_OK)
  } catch (cause) {
    throw new SpoolError(folder, cause)
  }
}

async function makeFolder(folder: string): Promise<void> {
  await requireNotPlanted(folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

/** A file of answers that earlier runs on this database could not write. */
export interface SpoolFile {
  path: string
  /** The run that wrote it. */
  run: string
  answers: SpooledAnswer[]
  /** Lines that are no answers: cut off by a power failure, or written by another version. */
  unreadable: number
}

/** The files that were left for this database. @throws {SpoolError} also for one that another user planted */
export async function readSpool(folder: string, databaseId: string): Promise<SpoolFile[]> {
  const names = await readdir(folder).catch((thrown) => {
    if (/^(ENOENT|ENOTDIR)$/.test(systemCodeOf(thrown) ?? '')) return []
    throw new SpoolError(folder, thrown)
  })
  const mine = names.filter(
    (name) => name.startsWith(`answers-${databaseId}-`) && name.endsWith('.jsonl'),
  )
  const runOf = (name: string) => name.slice(`answers-${databaseId}-`.length, -'.jsonl'.length)
  const files = await Promise.all(
    mine.map((name) => readSpoolFile(join(folder, name), runOf(name))),
  )
  return files.filter((file) => file !== undefined)
}

async function readSpoolFile(path: string, run: string): Promise<SpoolFile | undefined> {
  const reading = async () => {
    await requireNotPlanted(path)
    return readFile(path, { encoding: 'utf8', flag: O_NOFOLLOW })
  }
  const text = await reading().catch((thrown) => {
    // Another run has just read it in.
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw new SpoolError(path, thrown)
  })
  if (text === undefined) return undefined
  const lines = text.split('\n').filter((line) => line !== '')
  const answers = lines.flatMap((line) => answerIn(line) ?? [])
  return { path, run, answers, unreadable: lines.length - answers.length }
}

function answerIn(line: string): SpooledAnswer | undefined {
  try {
    return spooledAnswer.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** Done with: gone, or put aside where not all of it could be used. @returns where it is now, if anywhere */
export async function dismissSpoolFile(path: string, isUsed: boolean): Promise<string | undefined> {
  if (isUsed) {
    await removeIfThere(path)
    return undefined
  }
  const aside = `${path}.unreadable`
  return rename(path, aside).then(
    () => aside,
    () => path,
  )
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((thrown) => {
    if (systemCodeOf(thrown) !== 'ENOENT') throw new SpoolError(path, thrown)
  })
}
