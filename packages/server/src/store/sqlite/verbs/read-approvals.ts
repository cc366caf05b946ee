import type { ApprovalDetail } from '../../approvals.ts'
import type { CursorPage } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { eventOfRun } from './read-events.ts'
import { Where, collectPage } from './where.ts'

const COLUMNS = `a.position, a.run, a.mode, a.tenant_id, a.id, a.status, a.decide_by, a.requested_at, a.ended_by, a.created_at,
  a.ended_at, a.ended_here, r.run_id, r.agent_id, r.ended_by AS run_ended_by,
  (SELECT decides_since FROM tenants t WHERE t.mode = a.mode AND t.tenant_id = a.tenant_id) AS decides_since`
const SELECT = `SELECT ${COLUMNS} FROM approvals a CROSS JOIN runs r ON r.ref = a.run`

export function listApprovals(
  context: SqliteContext,
  { scope, filter, page }: Parameters<Store['listApprovals']>[0],
): CursorPage<ApprovalDetail> {
  const where = new Where().scope('a', scope).before('a.position', page.after)
  if (filter.runId !== null) where.run('a.run', scope, filter.runId)
  const { statuses, since, until } = filter
  // The words are in the text for the index of those that are pending.
  if (statuses.length === 1 && statuses[0] === 'pending') where.and(`a.status = 'pending'`)
  const rows = context.db
    .prepare(`${SELECT} ${where.text} ORDER BY a.position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const wanted = (row: Row) =>
    (statuses.length === 0 || statuses.some((status) => status === row['status'])) &&
    (since === null || (row['created_at'] as number) >= since) &&
    (until === null || (row['created_at'] as number) < until)
  const found = collectPage(rows, page.limit, wanted)
  return { rows: found.rows.map((row) => detailFrom(context, row)), next: found.next }
}

export function findApprovals(
  context: SqliteContext,
  { scope, approvalId, runId }: Parameters<Store['findApprovals']>[0],
): ApprovalDetail[] {
  const where = new Where().scope('a', scope).and('a.id = ?', approvalId)
  if (runId !== null) where.and('r.run_id = ?', runId)
  const rows = context.db.prepare(`${SELECT} ${where.text} LIMIT 2`).all(...where.values) as Row[]
  return rows.map((row) => detailFrom(context, row))
}

export function findEndedApprovals(
  { db }: SqliteContext,
  { positions }: Parameters<Store['findEndedApprovals']>[0],
): number[] {
  const rows = db
    .prepare(
      `SELECT p.value AS position FROM json_each(?) p LEFT JOIN approvals a ON a.position = p.value
       WHERE a.status IS NULL OR a.status <> 'pending'`,
    )
    .all(JSON.stringify(positions)) as Row[]
  return rows.map((row) => row['position'] as number)
}

export function findOverdueApprovals(
  context: SqliteContext,
  { now, limit }: Parameters<Store['findOverdueApprovals']>[0],
): ApprovalDetail[] {
  const rows = context.db
    .prepare(
      `SELECT ${COLUMNS} FROM tenants d INDEXED BY tenants_deciding
         CROSS JOIN approvals a INDEXED BY approvals_decide_by ON a.mode = d.mode AND a.tenant_id = d.tenant_id
         CROSS JOIN runs r ON r.ref = a.run
       WHERE d.decides_since IS NOT NULL AND a.status = 'pending' AND a.decide_by IS NOT NULL
         AND a.decide_by > d.decides_since AND a.decide_by <= ? LIMIT ?`,
    )
    .all(now, limit) as Row[]
  return rows.map((row) => detailFrom(context, row))
}

function detailFrom(context: SqliteContext, row: Row): ApprovalDetail {
  const run = row['run'] as number
  const at = (sequence: unknown) => (sequence === null ? null : eventOfRun(context, run, sequence as number))
  return {
    position: row['position'] as number,
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string,
    runId: row['run_id'] as string,
    approvalId: row['id'] as string,
    status: row['status'] as ApprovalDetail['status'],
    decideBy: row['decide_by'] as number | null,
    createdAt: row['created_at'] as number,
    endedAt: row['ended_at'] as number | null,
    endedHere: row['ended_here'] === 1,
    runAgentId: row['agent_id'] as string | null,
    runHasEnded: row['run_ended_by'] !== null,
    decidesSince: row['decides_since'] as number | null,
    request: at(row['requested_at']),
    end: at(row['ended_by']),
  }
}
