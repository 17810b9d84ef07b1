import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** A package that plate-snapshot needs to run. */
export interface Dependency {
  name: string
  /** As its own package.json has it: an SPDX name. */
  license: string
  /** Its files and those of all that it brings, on this platform, in bytes. What two of them bring counts for both. */
  bytes: number
}

const needs = z.record(z.string(), z.string()).optional()
const entry = z.object({
  dev: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
  integrity: z.string().optional(),
  dependencies: needs,
  optionalDependencies: needs,
  peerDependencies: needs,
})
const lock = z.object({ packages: z.record(z.string(), entry) })
type Packages = z.infer<typeof lock>['packages']
const manifest = z.object({ license: z.string() })

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The packages of package-lock.json that are installed for users too, by their folders. */
export function lockedForUsers(): [folder: string, locked: z.infer<typeof entry>][] {
  return Object.entries(readLock()).filter(([folder, { dev }]) => folder !== '' && dev !== true)
}

/** The direct dependencies in the order of package.json, and the bytes of all packages that are installed for users. */
export function dependencies(): { direct: Dependency[]; bytes: number } {
  const packages = readLock()
  const sizes = new Map<string, number>()
  const sizeOf = (folder: string) => {
    const size = sizes.get(folder) ?? bytesIn(join(ROOT, folder))
    sizes.set(folder, size)
    return size
  }
  const direct = Object.keys(packages['']?.dependencies ?? {}).map((name) => {
    const folder = `node_modules/${name}`
    const { license } = manifest.parse(readJson(join(folder, 'package.json')))
    const bytes = [...closure(packages, folder)].reduce((sum, one) => sum + sizeOf(one), 0)
    return { name, license, bytes }
  })
  return { direct, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) }
}

/** A package's folder and the folders of all that it brings. */
function closure(packages: Packages, folder: string): Set<string> {
  const found = new Set([folder])
  // A set that grows goes on until nothing new comes.
  for (const one of found) {
    const { dependencies, optionalDependencies, peerDependencies } = packages[one] ?? {}
    const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    for (const name of names) {
      const at = placeOf(packages, one, name)
      if (at !== undefined) found.add(at)
    }
  }
  return found
}

/** Where Node finds a package from another one: in its own folder, else further up. Undefined for one that users do not get. */
function placeOf(packages: Packages, from: string, name: string): string | undefined {
  for (
    let folder = `${from}/`;
    ;
    folder = folder.replace(/node_modules\/((@[^/]+\/)?[^/]+)\/$/, '')
  ) {
    const place = `${folder}node_modules/${name}`
    if (packages[place] !== undefined) return packages[place].dev === true ? undefined : place
    if (folder === '') return undefined
  }
}

/** Of its files, not of packages within; 0 when it is for another platform and not there. */
function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, file) => {
    const path = join(folder, file.name)
    if (!file.isDirectory()) return sum + statSync(path).size
    return file.name === 'node_modules' ? sum : sum + bytesIn(path)
  }, 0)
}

function readLock(): Packages {
  return lock.parse(readJson('package-lock.json')).packages
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
}
