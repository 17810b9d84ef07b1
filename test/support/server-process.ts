import { createInterface } from 'node:readline'

// The program that `startInOwnProcess` runs: starts, tells, calls what it is told to, and at the end stops.
const [, , module = '', starter = '', options = ''] = process.argv
const input = createInterface(process.stdin)
const calls = input[Symbol.asyncIterator]()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => input.close())
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)
const fail = (error: unknown) => ({
  failure: error instanceof Error ? error.message : String(error),
})
process.stdout.on('error', () => {}) // Whoever started this is gone: the end comes at once.
try {
  const { stop, ...server } = await (await import(module))[starter](JSON.parse(options))
  const methods = Object.keys(server).filter((name) => typeof server[name] === 'function')
  say({ server, methods })
  for await (const call of calls) {
    const [method, ...values] = JSON.parse(call)
    say(await server[method](...values).then((result: unknown) => ({ result }), fail))
  }
  await stop()
} catch (error) {
  say(fail(error))
}
process.exit()
