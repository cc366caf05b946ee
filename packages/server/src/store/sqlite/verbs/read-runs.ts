import type { DeliveryCounts } from '@runbell/sdk/contract'
import { deliveryStatuses, modes } from '../../codes.ts'
import type { CursorPage } from '../../rows.ts'
import type { ChildCounts, RunDetail, RunRow } from '../../runs.ts'
import type { Store } from '../../store.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { eventOfRun } from './read-events.ts'
import { CHILD_KINDS } from './run-lifecycle.ts'
import { Where, collectPage } from './where.ts'

const COLUMNS = `r.ref AS position, r.mode, r.tenant_id, r.run_id, r.agent_id, r.task_id, r.parent_run_id, r.status,
  r.last_sequence, r.lifecycle_warnings, r.created_at, r.updated_at, r.ended_at, r.status_at, r.failure_at`

export function listRuns(
  { db }: SqliteContext,
  { scope, filter, page }: Parameters<Store['listRuns']>[0],
): CursorPage<RunRow> {
  const where = new Where().scope('r', scope).before('r.ref', page.after)
  if (filter.taskId !== null) where.and('r.task_id = ?', filter.taskId)
  if (filter.parentRunId !== null) where.and('r.parent_run_id = ?', filter.parentRunId)
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM runs r ${where.text} ORDER BY r.ref DESC`)
    .iterate(...where.values) as Iterable<Row>
  const { statuses, agentId, since, until } = filter
  const wanted = (row: Row) =>
    (statuses.length === 0 || statuses.some((status) => status === row['status'])) &&
    (agentId === null || row['agent_id'] === agentId) &&
    (since === null || (row['created_at'] as number) >= since) &&
    (until === null || (row['created_at'] as number) < until)
  const { rows: found, next } = collectPage(rows, page.limit, wanted)
  return { rows: found.map(runFrom), next }
}

export function findRuns(context: SqliteContext, input: Parameters<Store['findRuns']>[0]): RunDetail[] {
  const where = new Where().run('r.ref', input.scope, input.runId)
  const rows = context.db.prepare(`SELECT ${COLUMNS} FROM runs r ${where.text} LIMIT 2`).all(...where.values) as Row[]
  return rows.map((row) => detailFrom(context, row))
}

function detailFrom(context: SqliteContext, row: Row): RunDetail {
  const run = row['position'] as number
  const at = (sequence: unknown) => (sequence === null ? null : eventOfRun(context, run, sequence as number))
  return {
    ...runFrom(row),
    toolCalls: countChildren(context.db, run, CHILD_KINDS.tool_call),
    approvals: countChildren(context.db, run, CHILD_KINDS.approval),
    deliveries: countDeliveries(context.db, run),
    statusEvent: at(row['status_at']),
    failureEvent: at(row['failure_at']),
  }
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

function countChildren(db: Database, run: number, kind: number): ChildCounts {
  const row = db
    .prepare(
      'SELECT count(*) AS total, count(*) FILTER (WHERE phase = 0) AS open FROM run_children WHERE run = ? AND kind = ?',
    )
    .get(run, kind) as Row
  return { total: row['total'] as number, open: row['open'] as number }
}

function countDeliveries(db: Database, run: number): DeliveryCounts {
  const counts = { total: 0, delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }
  const rows = db
    .prepare(
      `SELECT d.status, count(*) AS count FROM events e INDEXED BY events_run CROSS JOIN deliveries d ON d.event = e.position
       WHERE e.run = ? GROUP BY d.status`,
    )
    .all(run) as Row[]
  for (const row of rows) {
    counts[deliveryStatuses.decode(row['status'])] = row['count'] as number
    counts.total += row['count'] as number
  }
  return counts
}
