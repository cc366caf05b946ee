/** What the process ends with; `--help` documents them. */
export const EXIT = {
  ok: 0,
  /** It could not be done. */
  failed: 1,
  /** It was asked for wrongly: an unknown command or flag, or a setting that cannot be read. */
  usage: 2,
  /** It was looked at, and is not as it should be: a wrong signature, a check that failed. 3 and 4 are those of `catalog`. */
  notWell: 5,
} as const

/** Ends a command; the message is one plain sentence that says what to do, without a full stop. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}
