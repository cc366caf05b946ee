import type { Command } from 'commander'
import { addServerFlags } from '../server/server-flags.ts'
import type { TailOptions } from './tail-work.ts'

const HELP = `
A line for each event that is accepted (→) and for each delivery whose state has changed (←). It looks once a second, at the newest 200
of each; what is older can be listed with runbell events and runbell deliveries. Ctrl-C ends it.

Examples:
  runbell tail
  runbell tail --type 'agent.approval.*' --json`

export function addTailCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('tail').description('Show events and deliveries as they happen.')
  addServerFlags(
    command
      .option('--type <globs>', 'Of these event types, such as agent.run.*; separated by commas.', (value) =>
        value.split(','),
      )
      .option('--run <id>', 'Of this run.')
      .option('--tenant <id>', 'Of this tenant, where the key is bound to none.'),
  )
    .option('--json', 'Print one JSON line for each.')
    .addHelpText('after', HELP)
    .action((options: TailOptions) => run(import('./tail-work.ts').then(({ tail }) => tail(options))))
}
