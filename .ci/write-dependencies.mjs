// node .ci/write-dependencies.mjs [file]
// Writes the table in docs/dependencies.md anew: names, licenses and sizes as installed here. The reasons stay as they
// are; a new package gets none, which the tests refuse.
import { readFileSync, writeFileSync } from 'node:fs'
import { dependencies } from '../test/support/dependencies.ts'

const HEAD = '| package | why it is here | license | installed |\n| --- | --- | --- | --- |\n'
const file = process.argv[2] ?? new URL('../docs/dependencies.md', import.meta.url)
const text = readFileSync(file, 'utf8')
const [before, after] = text.split(HEAD)
if (after === undefined) throw new Error(`${file} has no table of dependencies.`)
const rest = after.replace(/^(\|.*\n)*/, '')
const reasons = new Map(
  [...after.matchAll(/^\| \[(\S+)\]\(\S+\) \| (.*?) \|/gm)].map(([, name, why]) => [name, why]),
)

function megabytes(bytes) {
  const mb = bytes / 1_000_000
  return `${mb < 10 ? Math.max(0.1, mb).toFixed(1) : mb.toFixed(0)} MB`
}

const { direct, bytes } = dependencies()
const rows = direct.map(
  ({ name, license, bytes }) =>
    `| [${name}](https://www.npmjs.com/package/${name}) | ${reasons.get(name) ?? ''} | ${license} | ${megabytes(bytes)} |\n`,
)
const total = `| all together | what several of them bring counts once here | | ${megabytes(bytes)} |\n`
writeFileSync(file, `${before}${HEAD}${rows.join('')}${total}${rest}`)
