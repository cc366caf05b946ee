import type { ApprovalDetail } from '../../approvals.ts'
import { modes } from '../../codes.ts'
import type { CursorPage, EventRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { eventsOfRun } from './read-events.ts'
import { Where, collectPage, isOneTenant } from './where.ts'

const SELECT = `SELECT a.position, a.run, a.mode, a.tenant_id, a.id, a.status, a.decide_by, a.requested_at, a.ended_by,
  a.created_at, a.ended_at, a.ended_here, r.run_id, r.agent_id, r.ended_by AS run_ended_by,
  (SELECT decides_since FROM tenants t WHERE t.mode = a.mode AND t.tenant_id = a.tenant_id) AS decides_since
  FROM approvals a JOIN runs r ON r.ref = a.run`

export async function listApprovals(
  { db }: PostgresContext,
  { scope, filter, page }: Parameters<Store['listApprovals']>[0],
): Promise<CursorPage<ApprovalDetail>> {
  const { statuses } = filter
  const read = (after: number | null, limit: number) => {
    const where = new Where()
    if (filter.since !== null) where.and('a.created_at >= ?', filter.since)
    if (filter.until !== null) where.and('a.created_at < ?', filter.until)
    // The words are in the text for the index of those that are pending.
    if (statuses.length === 1 && statuses[0] === 'pending') where.and(`a.status = 'pending'`)
    let order = 'a.position DESC'
    if (filter.runId === null && isOneTenant(scope)) order = where.newestOfTenant('a', scope, 'a.position', after)
    else where.scope('a', scope).before('a.position', after)
    if (filter.runId !== null) where.run('a.run', scope, filter.runId)
    const sql = `SELECT a.position, a.status FROM approvals a ${where.text} ORDER BY ${order}`
    return db.rows(`${sql} LIMIT ${where.place(limit)}`, ...where.values)
  }
  const wanted = (row: Row) => statuses.length === 0 || statuses.some((status) => status === row['status'])
  const found = await collectPage(page, read, wanted)
  const rows = await db.rows(`${SELECT} WHERE a.position = ANY($1) ORDER BY a.position DESC`, found.positions)
  return { rows: await detailsFrom(db, rows), next: found.next }
}

export async function findApprovals(
  { db }: PostgresContext,
  { scope, approvalId, runId }: Parameters<Store['findApprovals']>[0],
): Promise<ApprovalDetail[]> {
  const where = new Where().scope('a', scope).and('a.id = ?', approvalId)
  if (runId !== null) where.and('r.run_id = ?', runId)
  return detailsFrom(db, await db.rows(`${SELECT} ${where.text} LIMIT 2`, ...where.values))
}

export async function findEndedApprovals(
  { db }: PostgresContext,
  { positions }: Parameters<Store['findEndedApprovals']>[0],
): Promise<number[]> {
  const rows = await db.rows(
    `SELECT p.position FROM unnest($1::bigint[]) AS p (position) LEFT JOIN approvals a ON a.position = p.position
     WHERE a.status IS NULL OR a.status <> 'pending'`,
    positions,
  )
  return rows.map((row) => row['position'] as number)
}

export async function findOverdueApprovals(
  { db }: PostgresContext,
  { now, limit }: Parameters<Store['findOverdueApprovals']>[0],
): Promise<ApprovalDetail[]> {
  const rows = await db.rows(
    `SELECT due.position FROM tenants d CROSS JOIN LATERAL (
       SELECT a.position FROM approvals a
       WHERE a.mode = d.mode AND a.tenant_id = d.tenant_id AND a.status = 'pending' AND a.decide_by IS NOT NULL
         AND a.decide_by > d.decides_since AND a.decide_by <= $1
       ORDER BY a.mode, a.tenant_id, a.decide_by LIMIT $2) AS due
     WHERE d.decides_since IS NOT NULL LIMIT $2`,
    ...[now, limit],
  )
  const positions = rows.map((row) => row['position'] as number)
  if (positions.length === 0) return []
  return detailsFrom(db, await db.rows(`${SELECT} WHERE a.position = ANY($1)`, positions))
}

function detailsFrom(db: Session, rows: readonly Row[]): Promise<ApprovalDetail[]> {
  return Promise.all(rows.map((row) => detailFrom(db, row)))
}

async function detailFrom(db: Session, row: Row): Promise<ApprovalDetail> {
  const [requestedAt, endedBy] = [row['requested_at'] as number | null, row['ended_by'] as number | null]
  const events = await eventsOfRun(db, row['run'] as number, [requestedAt ?? [], endedBy ?? []].flat())
  const at = (place: number | null): EventRow | null =>
    events.find(({ sequence }) => place !== null && sequence === place) ?? null
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
    endedHere: row['ended_here'] as boolean,
    runAgentId: row['agent_id'] as string | null,
    runHasEnded: row['run_ended_by'] !== null,
    decidesSince: row['decides_since'] as number | null,
    request: at(requestedAt),
    end: at(endedBy),
  }
}
