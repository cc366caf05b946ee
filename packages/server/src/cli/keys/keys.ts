import { MODES, SCOPES, type ApiKeyView, type Mode, type Scope } from '@runbell/sdk/contract'
import { Option, type Command } from 'commander'
import { keyCreated } from '../../admin-keys.ts'
import { createApiKey } from '../../api/access/api-key.ts'
import { apiKeyView } from '../../api/views/api-key-view.ts'
import { createSystemRandom } from '../../system.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { parseDuration } from '../duration.ts'
import { printLine } from '../output.ts'
import { listKeys, type ListOptions } from './list-keys.ts'
import { revokeKey } from './revoke-key.ts'
import { whereKeysLive, type WhereOptions } from './where-keys-live.ts'

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

interface CreateOptions extends WhereOptions {
  scope: string
  mode: Mode
  tenant?: string
  expires?: string
  json?: boolean
}

/** What is asked for, read and checked. */
interface Wanted {
  scopes: Scope[]
  mode: Mode
  tenantId: string | null
  expiresAt: number | null
}

type CreatedKey = ApiKeyView & { key: string }

function withWhere(command: Command): Command {
  return command
    .option('--data-dir <value>', 'Folder of the embedded database. (RUNBELL_DATA_DIR, default ./.runbell)')
    .option('--url <url>', 'A server that runs. (RUNBELL_URL)')
    .option('--key <key>', 'An admin key of that server, of the same mode. (RUNBELL_API_KEY)')
}

export function addKeysCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const keys = program.command('keys').description('API keys.')
  withWhere(keys.command('create').description('Make an API key and print it, this once.'))
    .requiredOption('--scope <scopes>', `What it may do, separated by commas: ${SCOPES.join(', ')}.`)
    .addOption(new Option('--mode <mode>', 'Which mode its requests are in.').choices(MODES).makeOptionMandatory())
    .option('--tenant <id>', 'The tenant it is bound to; without it, it sees all of them.')
    .option('--expires <span>', 'How long it is valid, such as 12h or 30d; without it, until it is revoked.')
    .option('--json', 'Print the key and what it may do as one JSON line.')
    .addHelpText('after', HELP)
    .action((options: CreateOptions) => run(create(options)))
  withWhere(keys.command('list').description('List the API keys that are valid, newest first.'))
    .option('--json', 'Print one JSON line for each key.')
    .addHelpText('after', HELP)
    .action((options: ListOptions) => run(listKeys(options)))
  withWhere(keys.command('revoke').description('Revoke an API key: the next request with it is refused.'))
    .argument('<id>', 'Its id, as list prints it: key_… or key_test_….')
    .addHelpText('after', HELP)
    .action((id: string, options: WhereOptions) => run(revokeKey(id, options)))
}

async function create(options: CreateOptions): Promise<number> {
  const created = await createWhereItLives(readWanted(options), options)
  if (options.json === true) {
    printLine(JSON.stringify(created))
    return EXIT.ok
  }
  printLine(created.key)
  const { id, mode, scopes, tenant_id: tenant, expires_at: expires } = created
  const limits = `${tenant === null ? 'all tenants' : `tenant ${tenant}`}, valid ${expires === null ? 'until revoked' : `until ${expires}`}`
  process.stderr.write(`${id}: ${mode} mode, ${scopes.join(', ')}, ${limits}. Keep it; it is not shown again.\n`)
  return EXIT.ok
}

function readWanted(options: CreateOptions): Wanted {
  const names = options.scope.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !SCOPES.includes(name as Scope))
  if (unknown !== undefined) {
    throw new CliError(`--scope "${unknown}" is no scope: use ${SCOPES.join(', ')}`, EXIT.usage)
  }
  const { mode, tenant, expires } = options
  if (tenant === '' || tenant === '*')
    throw new CliError('--tenant names one tenant: leave it out for all of them', EXIT.usage)
  return {
    scopes: [...new Set(names)] as Scope[],
    mode,
    tenantId: tenant ?? null,
    expiresAt: expires === undefined ? null : Date.now() + parseDuration('--expires', expires),
  }
}

async function createWhereItLives(wanted: Wanted, options: CreateOptions): Promise<CreatedKey> {
  return await whereKeysLive(options, {
    async database(store) {
      const now = Date.now()
      const { key, row } = createApiKey({ ...wanted, random: createSystemRandom(), now })
      await store.putApiKey({ key: row, audit: [keyCreated(row, 'cli', now)] })
      return { ...apiKeyView(row), key }
    },
    async server(api, mode) {
      if (mode !== wanted.mode) {
        throw new CliError(`a ${mode} key makes ${mode} keys: give an admin key of ${wanted.mode} mode with --key`)
      }
      return await api.post<CreatedKey>('/v1/api-keys', {
        scopes: wanted.scopes,
        ...(wanted.tenantId === null ? {} : { tenant_id: wanted.tenantId }),
        ...(wanted.expiresAt === null ? {} : { expires_at: new Date(wanted.expiresAt).toISOString() }),
      })
    },
  })
}
