import type { AuditAction } from '@runbell/sdk/contract'
import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import type { Principal } from './principal.ts'

/** Who asks for a change, when, and with which request. */
export interface Asking {
  principal: Principal
  requestId: string
  /** Service time, ms. */
  now: number
}

/** What is changed, as it goes into the audit log. */
export interface Change {
  action: AuditAction
  target: string
  /** Whose matter it is; `null`: that of all tenants. */
  tenantId: string | null
  /** Never a secret, a key or a payload. */
  detail?: Record<string, unknown>
}

/** The entry that goes into the transaction of a change. */
export function auditOf({ principal, requestId, now }: Asking, change: Change): AuditEntry[] {
  const { action, target, tenantId, detail = {} } = change
  return [{ mode: principal.mode, tenantId, at: now, actor: principal.keyId, action, target, detail, requestId }]
}
