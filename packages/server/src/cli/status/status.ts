import { Option, type Command } from 'commander'
import { addServerFlags } from '../server/server-flags.ts'
import type { StatusOptions } from './status-work.ts'

const HELP = `
Examples:
  runbell status
  eval "$(runbell status -o env)"     RUNBELL_URL and RUNBELL_API_KEY of the server that runbell dev runs here`

export function addStatusCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('status').description('Say whether a server is ready, and print how to use it.')
  addServerFlags(command)
    .addOption(new Option('-o, --output <form>', 'text, json, or env for a shell.').choices(['text', 'env', 'json']))
    .option('--json', 'The same as -o json.')
    .addHelpText('after', HELP)
    .action((options: StatusOptions) => run(import('./status-work.ts').then(({ showStatus }) => showStatus(options))))
}
