import { CliError } from './cli/cli-error.ts'
import { explainError } from './cli/explain-error.ts'
import { tolerateClosedPipes } from './cli/output.ts'
import { createProgram } from './cli/program.ts'
import { visiblePasswords } from './cli/visible-passwords.ts'

/**
 * The command line.
 * @param args without the program's own name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  tolerateClosedPipes()
  for (const warning of visiblePasswords(args)) process.stderr.write(`runbell: ${warning}\n`)
  let exitCode = 0
  const program = createProgram(async (work) => {
    exitCode = await work
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    const explained = explainError(error)
    if (explained.message !== null) process.stderr.write(`runbell: ${explained.message}\n`)
    if (process.env['RUNBELL_LOG_LEVEL'] === 'debug') process.stderr.write(stackOf(error))
    return explained.exitCode
  }
}

/** Where the sentence may hide a mistake of ours, whoever debugs gets the stack too. */
function stackOf(error: unknown): string {
  return error instanceof CliError || !(error instanceof Error) ? '' : `${error.stack}\n`
}
