import { auditContent, type AuditEntry } from '../../../core/audit/audit-entry.ts'
import { modes } from '../../codes.ts'
import type { Session } from '../session.ts'
import { notWritten } from './not-written.ts'

export async function insertAudit(db: Session, entry: AuditEntry): Promise<void> {
  const { mode, tenantId, at, actor, action, target } = entry
  await db.run(
    'INSERT INTO audit (mode, tenant_id, at, actor, action, target, content) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    ...[modes.encode(mode), tenantId, at, actor, action, target, auditContent(entry)],
  )
}

export const appendAudit = notWritten('appendAudit')
export const listAudit = notWritten('listAudit')
export const pruneAudit = notWritten('pruneAudit')
export const readAudit = notWritten('readAudit')
export const sealAudit = notWritten('sealAudit')
