/** A flag as the command line, its `--help` and the README's table show it; `default` is what the schema uses. */
export interface Flag {
  flags: string
  meaning: string
  default?: number | string | boolean
}
