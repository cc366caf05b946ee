import { SCOPES, type ApiKeyView, type Mode, type Scope } from '@runbell/sdk/contract'
import { keyCreated } from '../../admin-keys.ts'
import { createApiKey } from '../../api/access/api-key.ts'
import { apiKeyView } from '../../api/views/api-key-view.ts'
import { createSystemRandom } from '../../system.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { parseDuration } from '../duration.ts'
import { printLine } from '../output.ts'
import { whereKeysLive, type WhereOptions } from './where-keys-live.ts'

export interface CreateOptions extends WhereOptions {
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

export async function createKey(options: CreateOptions): Promise<number> {
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
