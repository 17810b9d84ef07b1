import { createReadStream } from 'node:fs'
import { access, constants, open, realpath, stat } from 'node:fs/promises'
import { extname, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { ConfigError, messageOf, systemCodeOf } from '../errors.ts'
import { INGEST_FLAGS } from '../flags.ts'
import type { ImageRef, ListKind, OpenedList } from '../image-list.ts'
import { readCsvHead, readCsvList } from './csv-list.ts'
import { countTree, type Tree, treeOfFolder, treeOfGlob, walkTree } from './image-tree.ts'
import { readJsonList } from './json-list.ts'
import { readImageList } from './text-list.ts'

const WANTED = 'name a file with one path or URL a line'

/** How a folder is walked, where the list is one. */
export interface ListOptions {
  /** `--settle`, in seconds. */
  settle?: number | undefined
  /** Of times that tell none. */
  timezone?: string | undefined
  /** A folder that is left out of a walk, by its real path: where images are moved to. */
  exclude?: string | undefined
}

/**
 * Opens the list given by `--images`: a file of paths and URLs, `.jsonl` or `.csv`, a folder, a glob, or `-` for standard
 * input. What can be counted is counted first, so that progress, time left and warnings about credits can be given.
 * @throws {ConfigError} when it cannot be read
 */
export async function openImageList(
  path: string,
  standardInput: Readable,
  options: ListOptions = {},
): Promise<OpenedList> {
  if (path === '-') {
    const images = (signal: AbortSignal) => readImageList(standardInput, signal)
    return { kind: 'text', images, count: undefined }
  }
  try {
    const info = await stat(path).catch((thrown) => {
      if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    })
    if (info === undefined) {
      const tree = treeOfGlob(path)
      if (tree !== undefined) return await openTree(tree, path, options)
      throw unreadable(path, 'does not exist')
    }
    await access(path, constants.R_OK)
    if (info.isDirectory()) return await openTree(treeOfFolder(path), path, options)
    return await openFile(path, info.isFile(), options.timezone)
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw thrown
    throw unreadable(path, `cannot be read: ${messageOf(thrown)}`)
  }
}

/** How a file is written, by the ending of its name. */
export function kindOf(path: string): Exclude<ListKind, 'tree'> {
  const ending = extname(path).toLowerCase()
  if (ending === '.jsonl' || ending === '.ndjson') return 'jsonl'
  return ending === '.csv' ? 'csv' : 'text'
}

async function openFile(
  path: string,
  isRegular: boolean,
  timezone: string | undefined,
): Promise<OpenedList> {
  const kind = kindOf(path)
  // A pipe is opened once, to be read: its writer would be cut off by a look inside.
  if (!isRegular) {
    if (kind === 'csv') throw unreadable(path, 'is no regular file, which a CSV list has to be')
    const images = (signal: AbortSignal) => readAs(kind, path, timezone, signal)
    return { kind, images, count: undefined }
  }
  if (!(await looksLikeText(path))) throw unreadable(path, `holds no text; ${WANTED}`)
  if (kind !== 'csv') {
    const images = (signal?: AbortSignal) => readAs(kind, path, timezone, signal)
    return { kind, images, count: await countOf(images()) }
  }
  const head = await readCsvHead(path)
  const images = (signal?: AbortSignal) => readCsvList(path, head, timezone, signal)
  return { kind, images, count: await countOf(images()), header: head.header }
}

function readAs(
  kind: 'text' | 'jsonl',
  path: string,
  timezone: string | undefined,
  signal?: AbortSignal,
) {
  const input = createReadStream(path)
  if (kind === 'text') return readImageList(input, signal)
  return readJsonList(input, { list: path, timezone }, signal)
}

async function openTree(
  tree: Tree,
  path: string,
  { settle = INGEST_FLAGS.settle.default, exclude }: ListOptions,
): Promise<OpenedList> {
  await access(tree.folder || '.', constants.R_OK).catch((thrown) => {
    throw systemCodeOf(thrown) === 'ENOENT' ? unreadable(path, 'does not exist') : thrown
  })
  // By its place in the tree: either may have been named through a symbolic link.
  const without = exclude && relative(await realpath(tree.folder || '.'), exclude)
  const count = await countTree(tree, without)
  let recent = 0
  const onRecent = () => {
    recent += 1
  }
  const walking = { settleS: settle, onRecent, exclude: without }
  return {
    ...{ kind: 'tree', count, recent: () => recent },
    images: (signal) => walkTree(tree, walking, signal),
  }
}

/** A picture given as the list would be taken for hundreds of lines of nonsense. */
async function looksLikeText(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(512), 0, 512, 0)
    return !buffer.subarray(0, bytesRead).includes(0)
  } finally {
    await file.close()
  }
}

async function countOf(images: AsyncGenerator<ImageRef>): Promise<number> {
  let count = 0
  for await (const _ of images) count += 1
  return count
}

function unreadable(path: string, why: string): ConfigError {
  return new ConfigError([{ name: '--images', message: `${path} ${why}.` }])
}
