import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import picomatch from 'picomatch'
import { messageOf, systemCodeOf } from '../errors.ts'
import type { ImageRef } from '../image-list.ts'
import { redactSource, schemeOf } from '../source.ts'

/** What is walked: a folder, and which of its files are taken, by their path within it. */
export interface Tree {
  /** As it was named; empty for the working directory. */
  folder: string
  takes: (path: string) => boolean
}

/** How a tree is walked. */
export interface WalkOptions {
  /** Files that changed within so many seconds are left out, and counted by `onRecent`. */
  settleS: number
  onRecent: () => void
  /** A folder that is not walked, by its path in the tree. */
  exclude?: string | undefined
}

/** Names that images have. */
const IMAGE_NAME = /\.(jpe?g|jpe|png|webp|gif|bmp|tiff?|hei[cf]|avif)$/i

/** All images of a folder, by their names. */
export function treeOfFolder(folder: string): Tree {
  return { folder: folder.replace(/(?<=.)\/+$/, ''), takes: (path) => IMAGE_NAME.test(path) }
}

/** What a pattern matches (`cams/**\/*.jpg`); undefined for a path without wildcards. */
export function treeOfGlob(pattern: string): Tree | undefined {
  const { isGlob, prefix, base, glob } = picomatch.scan(pattern)
  if (!isGlob) return undefined
  return { folder: `${prefix}${base}`.replace(/^\.\/(?=.)/, ''), takes: picomatch(glob) }
}

/**
 * The images of a tree, streamed, always in the same order: by name, one folder after another. Hidden files and folders
 * (`.name`) are left out, and links to folders are not followed: they may lead in a circle.
 */
export async function* walkTree(
  tree: Tree,
  options: WalkOptions,
  signal?: AbortSignal,
): AsyncGenerator<ImageRef> {
  let line = 0
  const base = resolve(tree.folder)
  for await (const found of walk(tree, '', options)) {
    if (signal?.aborted === true) return
    line += 1
    yield { line, source: redactSource(found.text), ...found, base }
  }
}

/** How many images a tree has, just changed ones included. */
export async function countTree(tree: Tree, exclude: string | undefined): Promise<number> {
  let count = 0
  const options = { settleS: 0, onRecent: () => {}, exclude }
  for await (const _ of walk(tree, '', options)) count += 1
  return count
}

async function* walk(
  tree: Tree,
  within: string,
  options: WalkOptions,
): AsyncGenerator<Pick<ImageRef, 'text' | 'problem'>> {
  const { folder, takes } = tree
  const entries = await entriesOf(folder, within)
  if ('problem' in entries) {
    yield entries
    return
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = `${within}${entry.name}`
    if (entry.isDirectory()) {
      if (path !== options.exclude) yield* walk(tree, `${path}/`, options)
    } else if (takes(path) && (await isTaken(folder, path, entry, options))) {
      yield { text: textOf(folder, path) }
    }
  }
}

/** What is in a folder, in order; nothing of one that has gone meanwhile. */
async function entriesOf(
  folder: string,
  within: string,
): Promise<Dirent[] | Required<Pick<ImageRef, 'text' | 'problem'>>> {
  try {
    const entries = await readdir(resolve(folder, within), { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (thrown) {
    if (within !== '' && systemCodeOf(thrown) === 'ENOENT') return []
    const text = textOf(folder, within)
    const message = `${redactSource(text)} cannot be read: ${messageOf(thrown)}.`
    return { text, problem: { code: 'folder_unreadable', message } }
  }
}

/** A file that has gone meanwhile is none; one that changed just now may still be written. */
async function isTaken(
  folder: string,
  path: string,
  entry: Dirent,
  { settleS, onRecent }: WalkOptions,
): Promise<boolean> {
  if (entry.isFile() && settleS === 0) return true
  if (!entry.isFile() && !entry.isSymbolicLink()) return false
  try {
    const stats = await stat(resolve(folder, path))
    if (stats.isDirectory()) return false
    // A clock that is ahead must not keep a file out for ever.
    if (Math.abs(Date.now() - stats.mtimeMs) >= settleS * 1_000) return true
    onRecent()
    return false
  } catch (thrown) {
    // What it is, its own line will tell.
    return entry.isSymbolicLink() || systemCodeOf(thrown) !== 'ENOENT'
  }
}

/** A path as it would stand in a list: the same in every run. A name that looks like a URL or a comment is none here. */
function textOf(folder: string, path: string): string {
  if (folder === '' || folder === '.') {
    return schemeOf(path) !== undefined || /^[#\s]/.test(path) ? `./${path}` : path
  }
  return folder.endsWith('/') ? `${folder}${path}` : `${folder}/${path}`
}
