import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { type ConfigProblem, messageOf } from './errors.ts'
import type { ImageRef } from './image-list.ts'

/** The folder of `--archive` by its real path; it is made when the first file is moved. */
export const archiveFolder = z.string().transform((path, context) => {
  const wrong = path === '' ? 'must name a folder.' : whyNot(path)
  if (wrong === undefined) return realPathOf(path)
  context.addIssue(wrong)
  return z.NEVER
})

function whyNot(path: string): string | undefined {
  const there = nearestThere(resolve(path))
  if (!statSync(there).isDirectory()) return `must be a folder, and ${there} is none.`
  if (isWithin(process.cwd(), realPathOf(path))) {
    return 'must not hold the working directory: what lies in it counts as archived.'
  }
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
    return undefined
  } catch (thrown) {
    return `cannot be used: ${there} cannot be written: ${messageOf(thrown)}.`
  }
}

/** What is wrong with an archive beside what `--images` names: a folder that lies in it would never be emptied. */
export function archiveProblems(images: string, archive: string | undefined): ConfigProblem[] {
  if (archive === undefined || !existsSync(images)) return []
  if (!statSync(images).isDirectory() || !isWithin(realpathSync(images), archive)) return []
  const message = 'must not hold the folder of --images: what lies in it counts as archived.'
  return [{ name: '--archive', message }]
}

/**
 * Where a file goes: it keeps its tree, that of the folder it was found in, else that of the working directory, else that
 * of the whole disk. Undefined for what lies in the archive, and stays there.
 */
export function placeIn(archive: string, { text, base }: ImageRef): string | undefined {
  const path = resolve(text)
  if (isWithin(path, archive)) return undefined
  const above = [base, process.cwd()].find(
    (folder) => folder !== undefined && isWithin(path, folder),
  )
  return join(archive, relative(above ?? resolve('/'), path))
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return !isAbsolute(way) && way.split(sep)[0] !== '..'
}

function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path))
}

function realPathOf(path: string): string {
  const whole = resolve(path)
  if (existsSync(whole)) return realpathSync(whole)
  return join(realPathOf(dirname(whole)), basename(whole))
}
