import type { Command } from 'commander'
import { addServerFlags } from '../server/server-flags.ts'
import type { ListenOptions } from './listen-work.ts'

const HELP = `
Makes an endpoint on your server that hands its deliveries to this command, over a connection that goes out from here: nothing has to
reach this machine. The stored bytes and their headers are sent to the port or URL, and what it answers is the attempt's outcome. → is an
attempt, ← its outcome. A connection that breaks is made anew; Ctrl-C removes the endpoint, and 60 seconds without a listener do, too.

Examples:
  runbell listen 3000
  runbell listen http://localhost:3000/hooks --events 'agent.run.*,agent.approval.*' --json`

export function addListenCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program
    .command('listen')
    .description('Forward events of your own server to a port of this machine.')
    .argument('<port|url>', 'Where they go; a port is one of this machine.')
    .option('--events <globs>', 'Only these event types, separated by commas. Default: all.', (text) => text.split(','))
  addServerFlags(command)
    .option('--json', 'Print one JSON line for the endpoint, and for each attempt.')
    .addHelpText('after', HELP)
    .action((to: string, options: ListenOptions) =>
      run(import('./listen-work.ts').then(({ listen }) => listen(to, options))),
    )
}
