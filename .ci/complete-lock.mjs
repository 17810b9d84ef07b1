// node .ci/complete-lock.mjs
// After an `npm install` on a registry that does not serve every platform's packages, package-lock.json lacks those, and
// `npm ci` refuses it everywhere. This adds them, for their platform only; a complete lock stays as it is.
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('../package-lock.json', import.meta.url)
const OS = { windows: 'win32' }
const CPU = { 'arm-eabi': 'arm', 'arm-gnueabihf': 'arm', 'arm-musleabihf': 'arm' }

const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const { packages } = lock

/** The entry that `name` resolves to from `path`, as node looks for it. */
function find(path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const key = `${from === '' ? '' : `${from}/`}node_modules/${name}`
    if (packages[key] !== undefined) return key
    if (from === '') return undefined
  }
}

/** `…/binding-linux-arm64-musl` -> os linux, cpu arm64, libc musl. */
function platformOf(name) {
  const [, os, rest] =
    /(android|darwin|freebsd|linux|openharmony|win32|windows)-(.+)$/.exec(name) ?? []
  if (os === undefined) return undefined
  const cpu = CPU[rest] ?? rest.split('-')[0]
  const libc = os === 'linux' && rest.includes('musl') ? ['musl'] : undefined
  return { cpu: [cpu], ...(libc && { libc }), os: [OS[os] ?? os] }
}

const isSameMajor = (version, range) =>
  range.replace(/^\^/, '').split('.')[0] === version.split('.')[0]

for (const [path, entry] of Object.entries(packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = find(path, name)
    if (found !== undefined && isSameMajor(packages[found].version, range)) continue
    const version = range.replace(/^\^/, '')
    const platform = platformOf(name)
    if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) continue
    const key = found === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`
    const { cpu, ...rest } = platform
    packages[key] = { version, cpu, ...(entry.dev && { dev: true }), ...rest, optional: true }
    process.stdout.write(`added ${key} ${version}\n`)
  }
}
const [root, ...others] = Object.entries(packages)
others.sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = Object.fromEntries([root, ...others])
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
