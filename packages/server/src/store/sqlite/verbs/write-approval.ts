import type { LifecycleFact } from '../../../core/catalog/lifecycle-fact.ts'
import type { AcceptItem } from '../../accept.ts'
import { approvalStep } from '../../approvals.ts'
import { modes } from '../codes.ts'
import type { Database } from '../database.ts'

/** Keeps what an event says of its approval: a request, or the first end, which may come without one. */
export function writeApproval(
  db: Database,
  { mode, tenantId }: Pick<AcceptItem, 'mode' | 'tenantId'>,
  fact: LifecycleFact,
  { run, sequence, recordedAt }: { run: number; sequence: number; recordedAt: number },
): void {
  const step = approvalStep(fact)
  if (step === null) return
  const { id, status, decideBy, byService } = step
  const owner = [run, modes.encode(mode), tenantId, id]
  if (status === 'pending') {
    db.prepare(
      `INSERT INTO approvals (run, mode, tenant_id, id, status, decide_by, requested_at, created_at)
       VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)`,
    ).run(...owner, decideBy, sequence, recordedAt)
    return
  }
  db.prepare(
    `INSERT INTO approvals (run, mode, tenant_id, id, status, ended_by, created_at, ended_at, ended_here)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (run, id) DO UPDATE SET status = excluded.status, ended_by = excluded.ended_by,
       ended_at = excluded.ended_at, ended_here = excluded.ended_here`,
  ).run(...owner, status, sequence, recordedAt, recordedAt, byService ? 1 : 0)
}
