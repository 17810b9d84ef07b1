import { realpath } from 'node:fs/promises'
import { ConfigError, messageOf } from './errors.ts'
import type { ImageRef, ListKind, OpenedList } from './image-list.ts'
import { kindOf } from './lists/open-list.ts'
import { openPart } from './write-file.ts'

/** The lines that failed, verbatim, as a file that `--images` takes. */
export interface FailedList {
  add(ref: ImageRef): void
  /**
   * Puts the file in its place, whole. A run that ended early (`isFinished` false) does not put it over its own list,
   * which still names all that is left to do. Rejects when a line could not be written.
   */
  close(isFinished: boolean): Promise<void>
}

/**
 * Opens `--failed <file>`. The lines gather beside it and take the file's name at the end, so that it may be the list of
 * this very run.
 * @param list the images file of the run, and what it was seen to be
 * @throws {ConfigError} when it cannot be written, or `--images` would take it for another kind of list
 */
export async function openFailedList(
  path: string,
  list: Pick<OpenedList, 'kind' | 'header'> & { path: string },
): Promise<FailedList> {
  const kind = failedKind(path, list.kind)
  const part = await openPart(path, '--failed')
  let written: Promise<unknown> =
    list.header === undefined ? Promise.resolve() : part.file.appendFile(`${list.header}\n`)
  let failure: unknown
  return {
    add(ref) {
      const append = () => part.file.appendFile(`${lineOf(ref, kind)}\n`)
      written = written.then(append).catch((thrown) => {
        failure ??= thrown
      })
    },
    async close(isFinished) {
      await written
      if (!isFinished && (await isSameFile(path, list.path))) return part.discard()
      try {
        if (failure !== undefined) throw failure
        await part.place()
      } catch (thrown) {
        throw new Error(`${messageOf(thrown)}; what could be written is in ${part.path}`)
      }
    },
  }
}

const ENDINGS = { text: 'txt', csv: 'csv', jsonl: 'jsonl' } as const

/** `--images` goes by the ending of a name: the lines that failed have to be written as it will read them. */
function failedKind(path: string, list: ListKind): Exclude<ListKind, 'tree'> {
  const kind = kindOf(path)
  // Of a folder only the names are written, which is all there is to know.
  if (kind === list || (list === 'tree' && kind !== 'csv')) return kind
  const wanted = list === 'tree' ? 'text' : list
  const message = `${path} would be read as another kind of list than the one it is of: name it failed.${ENDINGS[wanted]}.`
  throw new ConfigError([{ name: '--failed', message }])
}

function lineOf({ text, written }: ImageRef, kind: Exclude<ListKind, 'tree'>): string {
  if (written !== undefined) return written
  if (kind === 'jsonl') return JSON.stringify({ image: text })
  if (!/[\r\n]/.test(text) && text === text.trim()) return text
  throw new Error(
    'a name with a line break, or with blanks at its end, needs a --failed that ends in .jsonl',
  )
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => undefined)
  const [first, second] = await Promise.all([real(one), real(other)])
  return first !== undefined && first === second
}
