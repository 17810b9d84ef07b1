import type { Deps } from './pipeline.ts'

/** Told of each step that is reached. */
type Reached = (step: string) => void

/**
 * Only for tests: PLATE_SNAPSHOT_DIE_AT names a step of the pipeline at which the process kills itself, as `kill -9`
 * would: `before claim`, `after put`; with `#3` at its end, at the third image that gets there. So races
 * are provoked, not waited for.
 */
export function dieAt(point: string): Reached {
  const [step, count = '1'] = point.split('#')
  let left = Number(count)
  return (reached) => {
    if (reached !== step) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}

/** The same stages, which tell before and after each. */
export function withSteps(deps: Deps, reached: Reached): Deps {
  const { ledger, images } = deps
  return {
    ...deps,
    fetchImage: told('fetch', deps.fetchImage, reached),
    ledger: {
      ...ledger,
      claim: told('claim', ledger.claim, reached),
      release: told('release', ledger.release, reached),
      fail: told('fail', ledger.fail, reached),
      settle: told('settle', ledger.settle, reached),
      amend: told('amend', ledger.amend, reached),
    },
    images: { ...images, put: told('put', images.put, reached) },
    lookUpPlates: told('lookup', deps.lookUpPlates, reached),
  }
}

/** A step as `before …` and `after …`. */
export function told<Args extends unknown[], Result>(
  step: string,
  work: (...args: Args) => Promise<Result>,
  reached: Reached,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    reached(`before ${step}`)
    const result = await work(...args)
    reached(`after ${step}`)
    return result
  }
}
