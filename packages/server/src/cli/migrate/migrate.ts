import type { Command } from 'commander'
import type { MigrateOptions } from './migrate-work.ts'

const HELP = `
Stop the server first: the file is locked while it is read. Everything goes along: events with their bytes, deliveries and attempts,
secrets as they are sealed, API keys, the audit log with its hashes. What is pending goes on from there, with the same attempt numbers.
The target has to be empty. Where it is cut off, run it again: it goes on where it was. At the end every row is read back and compared;
until then no server opens the target, and after that none opens the file. Both servers need the same master key.

A password in a command can be seen by other users of the machine: put the URL into RUNBELL_DATABASE_URL instead of --to.

Examples:
  runbell migrate --from ./.runbell/runbell.db --to postgres://runbell@db.example.com/runbell
  RUNBELL_DATABASE_URL=postgres://… runbell migrate --from /var/lib/runbell/runbell.db`

export function addMigrateCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  program
    .command('migrate')
    .description('Move everything in an embedded database to Postgres.')
    .requiredOption('--from <file>', 'The embedded database, runbell.db in the data folder.')
    .option('--to <url>', 'The Postgres database. (RUNBELL_DATABASE_URL)')
    .option('--schema <name>', 'Where in it the tables go. Default: runbell')
    .option('--start-over', 'Begin anew where the target has a part of another move.')
    .option('--json', 'Print what was moved as one JSON line.')
    .addHelpText('after', HELP)
    .action((options: MigrateOptions) => run(import('./migrate-work.ts').then(({ migrate }) => migrate(options))))
}
