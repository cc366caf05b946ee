import type { Command } from 'commander'
import type { SourceOptions } from './audit-source.ts'
import type { VerifyOptions } from './audit-work.ts'

const HELP = `
Where the log is read: with --url or --key (RUNBELL_URL, RUNBELL_API_KEY), from the server that runs there, in the mode of the
key, which has to be an admin key bound to no tenant. With --file, from what export has printed. Otherwise from the database of
the data folder, while no server uses it, in both modes.

Each mode has its own chain: every entry has a number and a hash of itself and the hash before it. Whoever can write to the
database could make the whole chain anew; keep the head that verify prints somewhere else, and give it with --expect later.

Examples:
  runbell audit verify
  runbell audit verify --url https://runbell.example.com --key "$ADMIN_KEY" --expect live:1204:9f2c…
  runbell audit export > audit.ndjson
  runbell audit verify --file audit.ndjson`

export function addAuditCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const audit = program.command('audit').description('The log of what was changed and looked at.')
  withSource(audit.command('verify').description('Check that no entry was changed, taken out or added.'))
    .option('--file <path>', 'An export to read instead.')
    .option('--expect <head>', 'A head that was printed earlier and has to be in the log.')
    .option('--json', 'Print one JSON line for each chain.')
    .addHelpText('after', HELP)
    .action((options: VerifyOptions) => run(work().then(({ verifyLog }) => verifyLog(options))))
  withSource(audit.command('export').description('Print every entry as a line of JSON, oldest first.'))
    .addHelpText('after', HELP)
    .action((options: SourceOptions) => run(work().then(({ exportLog }) => exportLog(options))))
}

function withSource(command: Command): Command {
  return command
    .option('--url <url>', 'A server that runs. (RUNBELL_URL)')
    .option('--key <key>', 'An admin key of that server, bound to no tenant; its mode decides. (RUNBELL_API_KEY)')
    .option('--data-dir <value>', 'Folder of the embedded database. (RUNBELL_DATA_DIR, default ./.runbell)')
}

/** Loaded when it is needed: help and usage errors need not wait for it. */
const work = () => import('./audit-work.ts')
