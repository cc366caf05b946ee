import { MODES, type ApiKeyView, type Page } from '@runbell/sdk/contract'
import { apiKeyView } from '../../api/views/api-key-view.ts'
import type { Store } from '../../store/store.ts'
import type { ApiClient } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { whereKeysLive, type WhereOptions } from './where-keys-live.ts'

export interface ListOptions extends WhereOptions {
  json?: boolean
}

export async function listKeys(options: ListOptions): Promise<number> {
  const keys = await whereKeysLive(options, { database: inDatabase, server: overApi })
  if (options.json === true) for (const key of keys) printLine(JSON.stringify(key))
  else if (keys.length === 0) process.stderr.write('There are no API keys. Make one with: runbell keys create\n')
  else for (const line of table(keys)) printLine(line)
  return EXIT.ok
}

async function inDatabase(store: Store): Promise<ApiKeyView[]> {
  const keys: ApiKeyView[] = []
  for (const mode of MODES) {
    let after: number | null = null
    do {
      const page: Awaited<ReturnType<Store['listApiKeys']>> = await store.listApiKeys({
        scope: { mode, tenantId: null },
        page: { limit: 200, after },
      })
      keys.push(...page.rows.map(apiKeyView))
      after = page.next
    } while (after !== null)
  }
  return keys
}

async function overApi(api: ApiClient): Promise<ApiKeyView[]> {
  const keys: ApiKeyView[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<ApiKeyView> = await api.get(`/v1/api-keys?limit=200${query}`)
    keys.push(...page.data)
    cursor = page.next_cursor
  } while (cursor !== null)
  return keys
}

function table(keys: readonly ApiKeyView[]): string[] {
  const rows = [
    ['ID', 'SCOPES', 'TENANT', 'CREATED', 'LAST USED', 'EXPIRES'],
    ...keys.map((key) => [
      key.id,
      key.scopes.join(','),
      key.tenant_id ?? 'all',
      day(key.created_at),
      key.last_used_at === null ? 'never' : day(key.last_used_at),
      key.expires_at === null ? 'never' : day(key.expires_at),
    ]),
  ]
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  )
}

/** To the minute, UTC. */
function day(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`
}
