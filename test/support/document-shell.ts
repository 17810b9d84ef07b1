import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { CLI, COMPILED, closedEnv } from './cli.ts'
import type { Workplace } from './workplace.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const { execPath } = process

export interface Ran {
  exitCode: number | null
  /** Standard output; of a block also standard error, in the order they came. */
  output: string
  errors: string
}

/** Runs a block of the documents as it is written, in a workplace; stops at the first command that fails. */
export async function runAsWritten(
  place: Workplace,
  block: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  await installInto(place.folder)
  const given = closedEnv(place.folder, { ...place.env, ...env, NODE_COMPILE_CACHE: COMPILED })
  const PATH = `${join(place.folder, 'bin')}:${given['PATH']}`
  return ended(
    spawn('sh', ['-ec', `exec 2>&1\n${block}`], {
      cwd: place.folder,
      env: { ...given, PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

/** What a checkout has: `npx` for the tool and its packages (npm's own takes a second to start), and the bin itself. */
async function installInto(folder: string): Promise<void> {
  const npx = `#!/bin/sh
if [ "$1" = plate-snapshot ]; then shift; exec '${execPath}' '${CLI}' "$@"; fi
name=$1; shift
exec '${execPath}' "$(readlink -f '${REPOSITORY}node_modules/.bin/'"$name")" "$@"
`
  const tool = `#!/bin/sh\nexec '${execPath}' '${CLI}' "$@"\n`
  await mkdir(join(folder, 'bin'), { recursive: true })
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true })
  await writeFile(join(folder, 'bin/npx'), npx, { mode: 0o755 })
  await writeFile(join(folder, 'node_modules/.bin/plate-snapshot'), tool, { mode: 0o755 })
}

/** Runs a snippet of the documents as a file of its own, where the packages it imports are installed. */
export async function runSnippet(snippet: string, env: Record<string, string>): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-snippet-'))
  try {
    await mkdir(join(folder, 'node_modules'))
    for (const name of ['pg', '@aws-sdk']) {
      await symlink(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name))
    }
    await symlink(REPOSITORY, join(folder, 'node_modules', 'plate-snapshot'))
    await symlink(join(REPOSITORY, 'samples'), join(folder, 'samples'))
    await writeFile(join(folder, 'snippet.ts'), snippet)
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    return await ended(
      spawn(execPath, ['snippet.ts'], {
        cwd: folder,
        env: closedEnv(folder, env),
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Runs a script of the checkout's npm in a folder of its own: what it writes goes there. */
export async function runNpmScript(script: string, folder: string): Promise<Ran> {
  await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'))
  for (const name of ['dist', 'samples', 'node_modules', 'db_schema.sql', 'images.txt.example']) {
    await symlink(join(REPOSITORY, name), join(folder, name))
  }
  return ended(
    spawn('npm', ['run', '--silent', script], {
      cwd: folder,
      env: closedEnv(folder, {}),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

async function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ran> {
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { exitCode: child.exitCode, output, errors }
}
