// npm run test:package [-- file.tgz]
// The package as users get it: packed, installed into empty folders from the registry, and run on each Node that it
// promises, by npx, as a global command, as a library, and by TypeScript. Without a file it packs what is built here.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HERE = fileURLToPath(new URL('./', import.meta.url))
/** The newest of each line when this was written; npm has each for every platform. */
const NODES = ['22.23.3', '24.21.0', '26.10.0']
const TOO_OLD = '20.19.5'
const TYPES_NODE = '@types/node@24.19.2'

interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a command, and says it. */
function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { ...options, encoding: 'utf8' })
  return { status, stdout: String(stdout), stderr: String(stderr) }
}

function expectOk(what: string, { status, stdout, stderr }: Ran, says = ''): void {
  if (status === 0 && stdout.includes(says)) {
    console.log(`ok   ${what}`)
    return
  }
  throw new Error(`${what}: exit code ${status}, and not "${says}"\n${stdout}\n${stderr}`)
}

const scratch = mkdtempSync(join(tmpdir(), 'plate-snapshot-package-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

function folder(name: string): string {
  const path = join(scratch, name)
  mkdirSync(path, { recursive: true })
  return path
}

/** What an ordinary user has: none of this checkout's programs, and none of npm's own settings of this run. */
function envWith(bin: string): NodeJS.ProcessEnv {
  const others = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((path) => !path.includes('node_modules'))
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_)/.test(name))
  return { ...Object.fromEntries(own), PATH: [bin, ...others].join(delimiter) }
}

function npm(args: readonly string[], cwd: string): Ran {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error']
  return run('npm', [...args, ...quiet], { cwd })
}

/** The folder with the program of a Node. */
function installNode(version: string): string {
  const place = folder(`node-${version}`)
  const name = `node-${process.platform}-${process.arch}`
  const installed = npm(['install', '--ignore-scripts', `${name}@${version}`], place)
  if (installed.status !== 0) throw new Error(`Node ${version}: ${installed.stderr}`)
  const bin = join(place, 'node_modules', name, 'bin')
  const { stdout } = run(join(bin, 'node'), ['--version'])
  if (stdout.trim() !== `v${version}`) throw new Error(`Node ${version} says ${stdout}`)
  return bin
}

function pack(): string {
  const packed = npm(['pack', '--ignore-scripts', '--pack-destination', scratch], ROOT)
  if (packed.status !== 0) throw new Error(packed.stderr)
  return globSync(join(scratch, '*.tgz'))[0] ?? ''
}

const [given] = process.argv.slice(2)
const tarball = given === undefined ? pack() : resolve(given)
const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const { version } = manifest as { version: string }
const bins = join(ROOT, 'node_modules', '.bin')

expectOk('publint finds nothing', run(join(bins, 'publint'), ['run', tarball, '--strict']))
const attw = [tarball, '--profile', 'esm-only', '--no-emoji']
expectOk('arethetypeswrong finds nothing', run(join(bins, 'attw'), attw))

const project = folder('project')
writeFileSync(join(project, 'package.json'), '{"name":"user","private":true,"type":"module"}\n')
expectOk(
  'npm install of the tarball, into an empty project',
  npm(['install', tarball, TYPES_NODE], project),
)
for (const file of ['user.ts', 'library.mjs', 'library.cjs']) {
  writeFileSync(join(project, file), readFileSync(join(HERE, file)))
}
for (const [module, moduleResolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]) {
  // Its own declarations are checked too: nothing of them may need a package that users do not have.
  const options = ['--strict', '--noEmit', '--target', 'es2023', '--types', 'node']
  const how = ['--module', module ?? '', '--moduleResolution', moduleResolution ?? '']
  const checked = run(join(bins, 'tsc'), [...options, ...how, 'user.ts'], { cwd: project })
  expectOk(`TypeScript takes its types (${moduleResolution})`, checked)
}

const global = folder('global')
expectOk('npm install --global', npm(['install', '--global', '--prefix', global, tarball], scratch))
const command = join(global, 'bin', 'plate-snapshot')

for (const node of NODES) {
  const env = envWith(installNode(node))
  const inProject = { cwd: project, env }
  const npx = (...args: string[]) =>
    run('npx', ['--no-install', 'plate-snapshot', ...args], inProject)
  expectOk(`Node ${node}: npx plate-snapshot --version`, npx('--version'), version)
  expectOk(`Node ${node}: npx plate-snapshot --help`, npx('--help'), '--confidence-threshold')
  expectOk(`Node ${node}: import`, run('node', ['library.mjs'], inProject), 'abc123 0.9')
  expectOk(`Node ${node}: require`, run('node', ['library.cjs'], inProject), 'abc123 0.9')
  const demo = run(command, ['demo'], { cwd: folder(`demo-${node}`), env })
  expectOk(`Node ${node}: the global command's demo`, demo, 'plate-snapshot-demo/report.html')
}

const old = run(command, ['--version'], { env: envWith(installNode(TOO_OLD)) })
const said = `plate-snapshot needs Node 22.19 or newer; this is Node ${TOO_OLD}.`
if (old.status !== 2 || !old.stderr.includes(said)) {
  throw new Error(`Node ${TOO_OLD}: exit code ${old.status}, and not "${said}"\n${old.stderr}`)
}
console.log(`ok   Node ${TOO_OLD}: refused in one sentence`)
