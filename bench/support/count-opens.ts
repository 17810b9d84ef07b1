// Loaded into a process whose opened files are to be counted: those under BENCH_OPENS_UNDER, written at its end to the
// file that BENCH_OPENS names. Every way Node has of opening a file by its path is wrapped, for all modules.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'

const { BENCH_OPENS_UNDER: under = '', BENCH_OPENS: file = '' } = process.env
const { writeFileSync } = fs
let opens = 0

function counted<Holder extends object>(holder: Holder, name: keyof Holder): void {
  const real = holder[name]
  if (typeof real !== 'function') return
  const wrapped = (...values: unknown[]) => {
    if (String(values[0]).startsWith(under)) opens += 1
    return real.apply(holder, values)
  }
  Object.assign(holder, { [name]: wrapped })
}

for (const name of ['open', 'openSync', 'readFile', 'readFileSync', 'openAsBlob'] as const) {
  counted(fs, name)
}
for (const name of ['open', 'readFile'] as const) counted(fs.promises, name)
syncBuiltinESMExports()
process.on('exit', () => writeFileSync(file, `${opens}`))
