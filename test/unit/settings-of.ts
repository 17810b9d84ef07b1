import { type Environment, type Needs, readSettings, type Settings } from '../../src/config.ts'
import type { ConfigProblem } from '../../src/errors.ts'

const ALL: Needs = { api: true, storage: true }

/** The settings of an environment that has a key and is otherwise right. */
export function settingsOf(env: Environment, needs = ALL): Settings {
  const read = readSettings({ PLATE_API_KEY: 'k', ...env }, needs)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return read.settings
}

/** What is wrong with an environment that has a key. */
export function problemsOf(env: Environment, needs = ALL): readonly ConfigProblem[] {
  const read = readSettings({ PLATE_API_KEY: 'k', ...env }, needs)
  return 'problems' in read ? read.problems : []
}
