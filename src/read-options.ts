import type { z } from 'zod'
import type { ConfigProblem } from './errors.ts'

/** The options of a command, or every problem with them. */
export type Reading<T> =
  | { options: T; problems: [] }
  | { options: undefined; problems: ConfigProblem[] }

/** Reads what a command was told. */
export function read<T>(schema: z.ZodType<T>, given: unknown): Reading<T> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return { options: parsed.data, problems: [] }
  const problems = parsed.error.issues.map(({ path, message }) => ({
    name: nameOf(String(path[0])),
    message,
  }))
  // A number may miss its bounds in two ways; one sentence says it.
  const told = new Map(problems.toReversed().map((problem) => [problem.name, problem]))
  return { options: undefined, problems: [...told.values()].toReversed() }
}

/** The same with problems of several options together, told with the others. */
export function withProblems<T>(
  { options, problems }: Reading<T>,
  more: readonly ConfigProblem[],
): Reading<T> {
  const all = [...problems, ...more]
  if (options === undefined || all.length > 0) return { options: undefined, problems: all }
  return { options, problems: [] }
}

/** `confidenceThreshold` as the user wrote it: `--confidence-threshold`. */
export function nameOf(option: string): string {
  if (option === 'image' || option === 'imageNames') return '<id|sha256>'
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
