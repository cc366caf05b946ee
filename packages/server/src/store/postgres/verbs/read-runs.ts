import type { DeliveryCounts } from '@runbell/sdk/contract'
import { deliveryStatuses, modes } from '../../codes.ts'
import type { CursorPage } from '../../rows.ts'
import type { ChildCounts, RunDetail, RunRow } from '../../runs.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { eventsOfRun } from './read-events.ts'
import { CHILD_KINDS } from './run-lifecycle.ts'
import { Where, collectPage, isOneTenant } from './where.ts'

const SELECT = `SELECT r.ref AS position, r.mode, r.tenant_id, r.run_id, r.agent_id, r.task_id, r.parent_run_id, r.status,
  r.last_sequence, r.lifecycle_warnings, r.created_at, r.updated_at, r.ended_at, r.status_at, r.failure_at FROM runs r`

export async function listRuns(
  { db }: PostgresContext,
  { scope, filter, page }: Parameters<Store['listRuns']>[0],
): Promise<CursorPage<RunRow>> {
  const { statuses, agentId } = filter
  const read = (after: number | null, limit: number) => {
    const where = new Where()
    if (filter.taskId !== null) where.and('r.task_id = ?', filter.taskId)
    if (filter.parentRunId !== null) where.and('r.parent_run_id = ?', filter.parentRunId)
    if (filter.since !== null) where.and('r.created_at >= ?', filter.since)
    if (filter.until !== null) where.and('r.created_at < ?', filter.until)
    const areFew = filter.taskId !== null || filter.parentRunId !== null
    let order = 'r.ref DESC'
    if (!areFew && isOneTenant(scope)) order = where.newestOfTenant('r', scope, 'r.ref', after)
    else where.scope('r', scope).before('r.ref', after)
    const sql = `SELECT r.ref AS position, r.status, r.agent_id FROM runs r ${where.text} ORDER BY ${order}`
    return db.rows(`${sql} LIMIT ${where.place(limit)}`, ...where.values)
  }
  const wanted = (row: Row) =>
    (statuses.length === 0 || statuses.some((status) => status === row['status'])) &&
    (agentId === null || row['agent_id'] === agentId)
  const found = await collectPage(page, read, wanted)
  const rows = await db.rows(`${SELECT} WHERE r.ref = ANY($1) ORDER BY r.ref DESC`, found.positions)
  return { rows: rows.map(runFrom), next: found.next }
}

export async function findRuns({ db }: PostgresContext, input: Parameters<Store['findRuns']>[0]): Promise<RunDetail[]> {
  const where = new Where().scope('r', input.scope).and('r.run_id = ?', input.runId)
  const rows = await db.rows(`${SELECT} ${where.text} LIMIT 2`, ...where.values)
  return Promise.all(rows.map((row) => detailFrom(db, row)))
}

async function detailFrom(db: Session, row: Row): Promise<RunDetail> {
  const run = row['position'] as number
  const [statusAt, failureAt] = [row['status_at'] as number | null, row['failure_at'] as number | null]
  const [children, deliveries, events] = await Promise.all([
    countChildren(db, run),
    countDeliveries(db, run),
    eventsOfRun(db, run, [statusAt ?? [], failureAt ?? []].flat()),
  ])
  const at = (place: number | null) => events.find(({ sequence }) => place !== null && sequence === place) ?? null
  return { ...runFrom(row), ...children, deliveries, statusEvent: at(statusAt), failureEvent: at(failureAt) }
}

function runFrom(row: Row): RunRow {
  return {
    position: row['position'] as number,
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string,
    runId: row['run_id'] as string,
    agentId: row['agent_id'] as string | null,
    taskId: row['task_id'] as string | null,
    parentRunId: row['parent_run_id'] as string | null,
    status: row['status'] as RunRow['status'],
    lastSequence: row['last_sequence'] as number,
    lifecycleWarnings: row['lifecycle_warnings'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    endedAt: row['ended_at'] as number | null,
  }
}

async function countChildren(db: Session, run: number): Promise<Pick<RunDetail, 'toolCalls' | 'approvals'>> {
  const rows = await db.rows(
    `SELECT kind, count(*)::integer AS total, (count(*) FILTER (WHERE phase = 0))::integer AS open
     FROM run_children WHERE run = $1 GROUP BY kind`,
    run,
  )
  const of = (kind: number): ChildCounts => {
    const row = rows.find((candidate) => candidate['kind'] === kind)
    return row === undefined ? { total: 0, open: 0 } : { total: row['total'] as number, open: row['open'] as number }
  }
  return { toolCalls: of(CHILD_KINDS.tool_call), approvals: of(CHILD_KINDS.approval) }
}

async function countDeliveries(db: Session, run: number): Promise<DeliveryCounts> {
  const counts: DeliveryCounts = { total: 0, delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }
  const rows = await db.rows(
    `SELECT d.status, count(*)::integer AS count FROM events e JOIN deliveries d ON d.event = e.position
     WHERE e.run = $1 GROUP BY d.status`,
    run,
  )
  for (const row of rows) {
    counts[deliveryStatuses.decode(row['status'])] = row['count'] as number
    counts.total += row['count'] as number
  }
  return counts
}
