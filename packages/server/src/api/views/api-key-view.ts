import type { ApiKeyView } from '@runbell/sdk/contract'
import type { ApiKeyRow } from '../../store/rows.ts'
import { optionalTimeView, timeView } from './time.ts'

/** A key without what would let anybody use it. */
export function apiKeyView(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    mode: row.mode,
    scopes: row.scopes,
    data_classes: row.dataClasses,
    tenant_id: row.tenantId,
    expires_at: optionalTimeView(row.expiresAt),
    last_used_at: optionalTimeView(row.lastUsedAt),
    created_at: timeView(row.createdAt),
  }
}
