import type { CommandEntry } from './command-line.ts'
import { escapeControls } from './escape-controls.ts'
import { INGEST_FLAGS } from './flags.ts'
import { topHelp } from './help.ts'
import { ENQUEUE_FLAGS, QUEUE_ACTIONS, QUEUE_FLAGS, WORK_FLAGS } from './queue-flags.ts'
import type { Shell } from './shell.ts'
import {
  IMAGE_FLAGS,
  PLATES_FLAGS,
  PURGE_FLAGS,
  QUERY_FLAGS,
  REPORT_FLAGS,
  URL_FLAGS,
} from './viewing-flags.ts'

const { allowHost, allowInsecureApi, confidenceThreshold, json, local, publicOnly, quiet, root } =
  INGEST_FLAGS
const VERIFY_FLAGS = {
  repair: { flags: '--repair', meaning: 'mend what can be mended without a lookup' },
  readData: { flags: '--read-data', meaning: 'read every stored image and hash it' },
}

/** Every command, as `--help` and the README's table show it. */
export const COMMANDS = {
  ingest: {
    does: 'take every line of a list through: fetch, store, look up, insert (the default command)',
    flags: Object.values(INGEST_FLAGS),
    load: async () => (await import('./commands/ingest.ts')).ingest,
  },
  migrate: {
    does: "bring the database to this version's schema; safe to run again",
    flags: [json],
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  check: {
    does: 'do the API key, the database and the image store work? Spends no lookup',
    flags: [allowInsecureApi, json],
    load: async () => (await import('./commands/check.ts')).check,
  },
  reprocess: {
    does: 'give every known image the rows that a threshold allows, from stored answers',
    flags: [confidenceThreshold, json, quiet],
    load: async () => (await import('./commands/reprocess.ts')).reprocess,
  },
  verify: {
    does: 'is every image stored and whole, and do rows and ledger agree? Spends no lookup; --repair mends what it can',
    flags: [...Object.values(VERIFY_FLAGS), publicOnly, allowHost, local, root, json],
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  status: {
    does: 'what the database holds: images, rows, what failed and why, lookups by day, the last run',
    flags: [json],
    load: async () => (await import('./commands/status.ts')).status,
  },
  plates: {
    does: 'what was seen: the rows as a table, newest first, filtered; --csv and --json',
    flags: Object.values(PLATES_FLAGS),
    load: async () => (await import('./commands/plates.ts')).plates,
  },
  query: {
    does: 'rows by SQL of your own, which may only read; also on the embedded database',
    argument: { form: '<sql>', name: 'sql', meaning: 'one SELECT, or - for standard input' },
    flags: Object.values(QUERY_FLAGS),
    load: async () => (await import('./commands/query.ts')).query,
  },
  image: {
    does: 'the stored bytes of an image, checked; --crop cuts out the plate or the vehicle',
    argument: { form: '<id|sha256>', name: 'image', meaning: "a row's id, or an image's SHA-256" },
    flags: Object.values(IMAGE_FLAGS),
    load: async () => (await import('./commands/image.ts')).image,
  },
  url: {
    does: 'fresh presigned links to images in S3; --refresh renews the stored ones that end soon',
    argument: {
      form: '[id|sha256...]',
      name: 'imageNames',
      meaning: "rows' ids, or images' SHA-256s",
    },
    flags: Object.values(URL_FLAGS),
    load: async () => (await import('./commands/url.ts')).url,
  },
  report: {
    does: 'one HTML file to open anywhere: figures, charts and pictures with their plates',
    flags: Object.values(REPORT_FLAGS),
    load: async () => (await import('./commands/report.ts')).report,
  },
  purge: {
    does: 'delete images for good, with all that is known of them: rows, answers, sources, objects; says first what would go',
    flags: Object.values(PURGE_FLAGS),
    load: async () => (await import('./commands/purge.ts')).purge,
  },
  enqueue: {
    does: 'put the lines of a list into the queue, for workers on any number of machines',
    flags: Object.values(ENQUEUE_FLAGS),
    load: async () => (await import('./commands/enqueue.ts')).enqueue,
  },
  work: {
    does: 'take jobs of the queue through, beside other workers, at the pace of one account',
    flags: Object.values(WORK_FLAGS),
    load: async () => (await import('./commands/work.ts')).work,
  },
  queue: {
    does: 'what waits, what failed for good and why, and at what pace; puts back what failed, clears, changes the pace',
    argument: {
      form: '<what...>',
      name: 'what',
      meaning: `${QUEUE_ACTIONS.join(', ')} (pace 0.2 changes it)`,
    },
    flags: Object.values(QUEUE_FLAGS),
    load: async () => (await import('./commands/queue.ts')).queue,
  },
  demo: {
    does: 'try it without an account: sample pictures, a local stand-in for the API, a database in ./plate-snapshot-demo',
    flags: [],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
} as const satisfies Record<string, CommandEntry>

/** Runs the command line. @returns the exit code: 0 to 3, 130 or 143, as the README's table has them */
export async function main(args: readonly string[], given: Shell): Promise<number> {
  const shell = withoutControls(given)
  const [first = '', ...others] = args
  // The two commonest questions are answered at once: everything else needs commander, which takes its time to load.
  if (others.length === 0) {
    const answer = answerTo(first, shell)
    if (answer !== undefined) {
      shell.out(answer)
      return 0
    }
  }
  if (/^[a-z]/.test(first) && first !== 'help' && !Object.hasOwn(COMMANDS, first)) {
    shell.say(`There is no command ${first}. These are: ${Object.keys(COMMANDS).join(', ')}.`)
    return 2
  }
  const { parse } = await import('./command-line.ts')
  try {
    return await parse(COMMANDS, args, shell, async (load, given) => {
      const [action, { loadDotenv }] = await Promise.all([load(), import('./dotenv.ts')])
      loadDotenv(shell.env)
      return action(given, shell)
    })
  } catch (thrown) {
    const [{ stopLines }, { exitCodeOf }] = await Promise.all([
      import('./run-report.ts'),
      import('./tally.ts'),
    ])
    shell.say(stopLines(thrown))
    return exitCodeOf({ failed: 0 }, thrown, shell.stoppedBy())
  }
}

/** All text goes this way, whoever put it together; bytes are what was asked for and stay as they are. */
function withoutControls(shell: Shell): Shell {
  return {
    ...shell,
    out: (text) => shell.out(escapeControls(text)),
    say: (text) => shell.say(escapeControls(text)),
  }
}

function answerTo(question: string, { version, outColumns }: Shell): string | undefined {
  if (['--version', '-V'].includes(question)) return version
  return ['--help', '-h', 'help'].includes(question) ? topHelp(COMMANDS, outColumns) : undefined
}
