import type { Mode } from '@runbell/sdk/contract'
import type { Store } from '../../store/store.ts'
import { ApiRefused } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { whereKeysLive, type WhereOptions } from './where-keys-live.ts'

export async function revokeKey(id: string, options: WhereOptions & { json?: boolean }): Promise<number> {
  if (!/^key_(?:test_)?[a-z0-9]{16}$/.test(id)) {
    throw new CliError(`"${id.slice(0, 40)}" is no id of an API key: take it from runbell keys list`, EXIT.usage)
  }
  const revoked = await whereKeysLive(options, {
    database: (store) => inDatabase(store, id),
    async server(api) {
      try {
        await api.delete(`/v1/api-keys/${id}`)
        return true
      } catch (error) {
        if (error instanceof ApiRefused && error.status === 404) return false
        throw error
      }
    },
  })
  if (!revoked)
    throw new CliError(`there is no valid API key ${id}: it may have been revoked before, or be of the other mode`)
  printLine(options.json === true ? JSON.stringify({ id, revoked: true }) : `${id} is revoked`)
  return EXIT.ok
}

async function inDatabase(store: Store, keyId: string): Promise<boolean> {
  const now = Date.now()
  const { key } = await store.findApiKey({ keyId })
  const mode: Mode = keyId.startsWith('key_test_') ? 'test' : 'live'
  const entry = {
    mode,
    tenantId: key?.tenantId ?? null,
    at: now,
    actor: 'cli',
    target: keyId,
    detail: {},
    requestId: null,
  }
  const audit = [{ ...entry, action: 'api_key.revoked' as const }]
  return await store.revokeApiKey({ scope: { mode, tenantId: null }, keyId, now, audit })
}
