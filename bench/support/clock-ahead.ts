// Loaded into a process whose clock is to be ahead of the others', by BENCH_CLOCK_AHEAD milliseconds.
import process from 'node:process'

const aheadMs = Number(process.env['BENCH_CLOCK_AHEAD'] ?? 0)

globalThis.Date = new Proxy(Date, {
  apply: () => new Date().toString(),
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, values.length > 0 ? values : [target.now() + aheadMs], newTarget),
  get: (target, name) =>
    name === 'now' ? () => target.now() + aheadMs : Reflect.get(target, name),
})
