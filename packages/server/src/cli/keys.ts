import { existsSync } from 'node:fs'
import { MODES, SCOPES, type ApiKeyView, type Mode, type Scope } from '@runbell/sdk/contract'
import { Option, type Command } from 'commander'
import { keyCreated } from '../admin-keys.ts'
import { createApiKey, parseApiKey } from '../api/access/api-key.ts'
import { apiKeyView } from '../api/views/api-key-view.ts'
import { loadSettings } from '../config/load.ts'
import { DatabaseInUse } from '../store/sqlite/lock.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { createSystemRandom } from '../system.ts'
import { createApiClient } from './api-client.ts'
import { CliError, EXIT } from './cli-error.ts'
import { databasePath, prepareDataDir } from './data-dir.ts'
import { parseDuration } from './duration.ts'
import { printLine } from './output.ts'

const HELP = `
Where it makes the key: with --url, in the server that runs there. Otherwise in the database of the data folder; while
a server uses that, through the server, whose address and admin key it takes from RUNBELL_URL and RUNBELL_API_KEY.

Examples:
  runbell keys create --scope admin --mode live
  runbell keys create --scope publish,read --mode test --tenant acme --expires 30d
  runbell keys create --scope publish --mode live --url https://runbell.example.com --key "$ADMIN_KEY" --json`

interface CreateOptions {
  scope: string
  mode: Mode
  tenant?: string
  expires?: string
  json?: boolean
  dataDir?: string
  url?: string
  key?: string
}

/** What is asked for, read and checked. */
interface Wanted {
  scopes: Scope[]
  mode: Mode
  tenantId: string | null
  expiresAt: number | null
}

type CreatedKey = ApiKeyView & { key: string }

export function addKeysCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const keys = program.command('keys').description('API keys.')
  keys
    .command('create')
    .description('Make an API key and print it, this once.')
    .requiredOption('--scope <scopes>', `What it may do, separated by commas: ${SCOPES.join(', ')}.`)
    .addOption(new Option('--mode <mode>', 'Which mode its requests are in.').choices(MODES).makeOptionMandatory())
    .option('--tenant <id>', 'The tenant it is bound to; without it, it sees all of them.')
    .option('--expires <span>', 'How long it is valid, such as 12h or 30d; without it, until it is revoked.')
    .option('--json', 'Print the key and what it may do as one JSON line.')
    .option('--data-dir <value>', 'Folder of the embedded database. (RUNBELL_DATA_DIR, default ./.runbell)')
    .option('--url <url>', 'A server that runs. (RUNBELL_URL)')
    .option('--key <key>', 'An admin key of that server, of the same mode. (RUNBELL_API_KEY)')
    .addHelpText('after', HELP)
    .action((options: CreateOptions) => run(create(options)))
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
  const { dataDir } = loadSettings('start', { 'data-dir': options.dataDir }, process.env).settings
  const url = options.url ?? process.env['RUNBELL_URL']
  const key = options.key ?? process.env['RUNBELL_API_KEY']
  const database = databasePath(dataDir)
  // An address in the environment means a server elsewhere, unless there is a database right here.
  if (options.url !== undefined || (url !== undefined && !existsSync(database))) {
    return await createOverApi(wanted, url as string, key)
  }
  try {
    prepareDataDir(dataDir)
    return await createInDatabase(wanted, database)
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error
    if (url !== undefined) return await createOverApi(wanted, url, key)
    throw new CliError(
      `a server is using ${database}: give its address with --url (RUNBELL_URL) and an admin key with --key (RUNBELL_API_KEY), or stop it`,
    )
  }
}

async function createInDatabase(wanted: Wanted, path: string): Promise<CreatedKey> {
  const store = await openSqliteStore({ path })
  try {
    const now = Date.now()
    const { key, row } = createApiKey({ ...wanted, random: createSystemRandom(), now })
    await store.putApiKey({ key: row, audit: [keyCreated(row, 'cli', now)] })
    return { ...apiKeyView(row), key }
  } finally {
    await store.close()
  }
}

async function createOverApi(wanted: Wanted, url: string, key: string | undefined): Promise<CreatedKey> {
  if (URL.parse(url) === null)
    throw new CliError(`--url "${url}" is not a URL: write one such as http://127.0.0.1:4600`, EXIT.usage)
  if (key === undefined) throw new CliError(`${url} asks for an admin key: give it with --key (RUNBELL_API_KEY)`)
  const asking = parseApiKey(key)
  if (asking === null)
    throw new CliError('what --key (RUNBELL_API_KEY) holds is not an API key: copy it again, whole', EXIT.usage)
  if (asking.mode !== wanted.mode) {
    throw new CliError(
      `a ${asking.mode} key makes ${asking.mode} keys: give an admin key of ${wanted.mode} mode with --key`,
    )
  }
  return await createApiClient(url, key).post<CreatedKey>('/v1/api-keys', {
    scopes: wanted.scopes,
    ...(wanted.tenantId === null ? {} : { tenant_id: wanted.tenantId }),
    ...(wanted.expiresAt === null ? {} : { expires_at: new Date(wanted.expiresAt).toISOString() }),
  })
}
