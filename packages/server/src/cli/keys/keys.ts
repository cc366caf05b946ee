import { MODES, SCOPES } from '@runbell/sdk/contract'
import { Option, type Command } from 'commander'
import type { CreateOptions } from './create-key.ts'
import type { GenerateOptions, RotateOptions } from './master-key.ts'
import type { ListOptions } from './list-keys.ts'
import type { WhereOptions } from './where-keys-live.ts'

const HELP = `
Where the keys are: with --url, in the server that runs there, in the mode of the admin key it is asked with. Otherwise in the
database of the data folder; while a server uses that, through the server, whose address and admin key it takes from
RUNBELL_URL and RUNBELL_API_KEY.

Examples:
  runbell keys create --scope admin --mode live
  runbell keys create --scope publish,read --mode test --tenant acme --expires 30d
  runbell keys create --scope publish --mode live --url https://runbell.example.com --key "$ADMIN_KEY" --json
  runbell keys list
  runbell keys revoke key_abcd0123efgh4567`

const MASTER_HELP = `
To rotate: put the new master key first where it is configured and leave the old one behind it, on a line of its own or after a
comma; then rotate-master. A server that runs reads its file or asks its command again; one with RUNBELL_MASTER_KEY is started anew
before that. Deliveries go on. What is printed as retired can be taken out afterwards.

Examples:
  runbell keys generate-master > /etc/runbell/master.key
  runbell keys generate-master --prepend-to /etc/runbell/master.key
  runbell keys rotate-master --url https://runbell.example.com --key "$ADMIN_KEY"`

const master = () => import('./master-key.ts')

function withWhere(command: Command): Command {
  return command
    .option('--data-dir <value>', 'Folder of the embedded database. (RUNBELL_DATA_DIR, default ./.runbell)')
    .option('--url <url>', 'A server that runs. (RUNBELL_URL)')
    .option('--key <key>', 'An admin key of that server, of the same mode. (RUNBELL_API_KEY)')
}

/** What a command does is loaded when it is needed: help and usage errors need not wait for it. */
export function addKeysCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const keys = program.command('keys').description('API keys.')
  withWhere(keys.command('create').description('Make an API key and print it, this once.'))
    .requiredOption('--scope <scopes>', `What it may do, separated by commas: ${SCOPES.join(', ')}.`)
    .addOption(new Option('--mode <mode>', 'Which mode its requests are in.').choices(MODES).makeOptionMandatory())
    .option('--tenant <id>', 'The tenant it is bound to; without it, it sees all of them.')
    .option('--expires <span>', 'How long it is valid, such as 12h or 30d; without it, until it is revoked.')
    .option('--json', 'Print the key and what it may do as one JSON line.')
    .addHelpText('after', HELP)
    .action((options: CreateOptions) => run(import('./create-key.ts').then(({ createKey }) => createKey(options))))
  keys
    .command('generate-master')
    .description('Make a master key, which seals the secrets in a database, and print it.')
    .option('--prepend-to <file>', 'Put it first in this file, before the one it follows on, and print nothing.')
    .addHelpText('after', MASTER_HELP)
    .action((options: GenerateOptions) => run(master().then(({ generateMaster }) => generateMaster(options))))
  withWhere(
    keys.command('rotate-master').description('Wrap every data key with the master key that is configured first.'),
  )
    .option('--master-key-file <value>', 'File with the master keys, where no server runs. (RUNBELL_MASTER_KEY_FILE)')
    .option('--json', 'Print what was done as one JSON line.')
    .addHelpText('after', MASTER_HELP)
    .action((options: RotateOptions) => run(master().then(({ rotateMaster }) => rotateMaster(options))))
  withWhere(keys.command('list').description('List the API keys that are valid, newest first.'))
    .option('--json', 'Print one JSON line for each key.')
    .addHelpText('after', HELP)
    .action((options: ListOptions) => run(import('./list-keys.ts').then(({ listKeys }) => listKeys(options))))
  withWhere(keys.command('revoke').description('Revoke an API key: the next request with it is refused.'))
    .argument('<id>', 'Its id, as list prints it: key_… or key_test_….')
    .option('--json', 'Print what was done as one JSON line.')
    .addHelpText('after', HELP)
    .action((id: string, options: WhereOptions) =>
      run(import('./revoke-key.ts').then(({ revokeKey }) => revokeKey(id, options))),
    )
}
