import { z } from 'zod'
import type { ConfigProblem } from './errors.ts'
import { codes, seconds, whole } from './option-schemas.ts'
import { QUEUE_ACTIONS, QUEUE_FLAGS, type QueueAction } from './queue-flags.ts'
import { nameOf, type Reading, read } from './read-options.ts'
import { inOneFormat } from './viewing-options.ts'

const flagsSchema = z.object({
  reason: codes.refine((all) => all.length > 0, 'must name a reason.').optional(),
  limit: whole(1).optional(),
  csv: z.boolean().default(false),
  failed: z.boolean().default(QUEUE_FLAGS.failed.default),
  yes: z.boolean().default(QUEUE_FLAGS.yes.default),
  json: z.boolean().default(false),
} satisfies Record<keyof typeof QUEUE_FLAGS, z.ZodType>)
const givenSchema = z.looseObject({ what: z.array(z.string()) })

/** What is to be done with the queue, and how. */
export interface QueueOptions extends z.infer<typeof flagsSchema> {
  action: QueueAction
  /** Only of `pace`: what it is to be from now on. */
  seconds: number | undefined
}

/** Reads the options of `queue`: an action, what stands behind it, and flags, which must be that action's. */
export function readQueueOptions(given: unknown): Reading<QueueOptions> {
  const { what, ...flags } = givenSchema.parse(given)
  const [word = '', ...more] = what
  const action = QUEUE_ACTIONS.find((name) => name === word)
  if (action === undefined) {
    // Name and message are one sentence.
    const message = `is no queue ${word}. These are: ${QUEUE_ACTIONS.join(', ')}.`
    return { options: undefined, problems: [{ name: 'There', message }] }
  }
  const spacing = seconds(0)
    .optional()
    .safeParse(action === 'pace' ? more.shift() : undefined)
  const reading = inOneFormat(read(flagsSchema, flags))
  const problems: ConfigProblem[] = [
    ...(spacing.error?.issues ?? []).map(({ message }) => ({ name: '<seconds>', message })),
    ...wordProblems(action, more),
    ...flagProblems(action, flags),
    ...reading.problems,
  ]
  if (problems.length > 0 || reading.options === undefined) return { options: undefined, problems }
  return { options: { ...reading.options, action, seconds: spacing.data }, problems: [] }
}

function wordProblems(action: QueueAction, words: readonly string[]): ConfigProblem[] {
  if (words.length === 0) return []
  const most = action === 'pace' ? 'one number of seconds' : 'nothing but flags'
  return [{ name: `queue ${action}`, message: `takes ${most}: leave out ${words.join(' ')}.` }]
}

function flagProblems(action: QueueAction, given: Record<string, unknown>): ConfigProblem[] {
  const flags: [option: string, { of: readonly QueueAction[] }][] = Object.entries(QUEUE_FLAGS)
  return flags
    .filter(([option, { of }]) => given[option] !== undefined && !of.includes(action))
    .map(([option, { of }]) => {
      const owners = of.map((name) => `queue ${name}`).join(' and ')
      return { name: nameOf(option), message: `is for ${owners}, not for queue ${action}.` }
    })
}
