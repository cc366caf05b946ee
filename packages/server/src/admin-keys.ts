import { apiKeyRow } from './api/access/api-key.ts'
import { SettingError } from './config/setting-spec.ts'
import { apiKeyView } from './api/views/api-key-view.ts'
import type { AuditEntry } from './core/audit/audit-entry.ts'
import type { ApiKeyRow } from './store/rows.ts'
import type { Store } from './store/store.ts'

/**
 * Makes the keys of `RUNBELL_ADMIN_KEYS` valid; only their hashes are stored.
 * @throws SettingError for one that is not a key, without showing it
 */
export async function importAdminKeys(store: Store, keys: readonly string[], now: number): Promise<void> {
  for (const [index, text] of keys.entries()) {
    const key = apiKeyRow(text, { scopes: ['admin'], now })
    if (key === null) {
      throw new SettingError(
        `RUNBELL_ADMIN_KEYS: entry ${index + 1} is not an API key; make one with: runbell keys create --scope admin --mode live`,
      )
    }
    const { key: known } = await store.findApiKey({ keyId: key.id })
    if (known === null) await store.putApiKey({ key, audit: [keyCreated(key, 'config', now)] })
  }
}

/** What goes on record where a key is made without the API. */
export function keyCreated(key: ApiKeyRow, actor: 'cli' | 'config', now: number): AuditEntry {
  const { mode, tenantId, id: target } = key
  const detail = { ...apiKeyView(key) }
  return { mode, tenantId, at: now, actor, action: 'api_key.created', target, detail, requestId: null }
}
