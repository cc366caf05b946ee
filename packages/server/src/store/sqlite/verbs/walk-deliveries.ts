import type { ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { groupCandidates, isWanted, stepEnd, type Candidate, type EndedFilter, type WalkStep } from '../../surveys.ts'
import { deliveryStatuses, outcomes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { isBeyond, type SqliteContext } from './context.ts'
import { Where } from './where.ts'

const SELECT = `SELECT d.position, d.id, d.status, d.node, d.trigger, d.event, d.endpoint, d.classes, d.last_outcome, d.created_at,
  d.updated_at, d.discarded_at, d.mode, d.tenant_id, e.type, e.erased_at, p.id AS endpoint_id, p.deleted_at
  FROM deliveries d JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint`

export type FoundCandidate = Candidate & { row: Row }

/** Looks at the next `limit` deliveries that may be wanted. `seen`: the positions of all it looked at. */
export function walkDeliveries(
  context: SqliteContext,
  scope: ReadScope,
  filter: EndedFilter,
  { after, upTo, limit }: WalkStep & { upTo: number },
): { wanted: FoundCandidate[]; seen: number[] } {
  const where = base(scope, filter).and('d.position > ? AND d.position <= ?', after, upTo)
  const sql = `${SELECT} ${where.text} ORDER BY d.position LIMIT ?`
  const rows = context.db.prepare(sql).all(...where.values, limit) as Row[]
  const mode = new Where().scope('d', scope).values
  const isInScope = (row: Row) => row['mode'] === mode[0] && (scope.tenantId === null || row['tenant_id'] === mode[1])
  const wanted = rows
    .filter(isInScope)
    .map((row) => candidateFrom(context, row))
    .filter((candidate) => isWanted(filter, candidate))
  return { wanted, seen: rows.map((row) => row['position'] as number) }
}

/**
 * The one list that is walked along, by its own index; what else is wanted is looked at row by row, so that a step is as short where
 * nothing fits as where everything does.
 */
function base(scope: ReadScope, { runId, statuses, endpointId }: EndedFilter): Where {
  const where = new Where()
  if (runId !== null) {
    const runs = new Where().run('run', scope, runId)
    return where.and(`d.event IN (SELECT position FROM events ${runs.text})`, ...runs.values)
  }
  if (statuses.every((status) => status === 'dead_lettered')) {
    return where.and('d.status = 2 AND d.discarded_at IS NULL')
  }
  if (endpointId === null) return where
  return where.and('d.endpoint = (SELECT ref FROM endpoints WHERE id = ?)', endpointId)
}

function candidateFrom({ endpointRefs }: SqliteContext, row: Row): FoundCandidate {
  const beyond = () => isBeyond(row, endpointRefs.byRef(row['endpoint'] as number).entry)
  const obstacle =
    row['deleted_at'] !== null
      ? 'endpoint_deleted'
      : row['erased_at'] !== null
        ? 'payload_gone'
        : beyond()
          ? 'policy_changed'
          : null
  return {
    row,
    position: row['position'] as number,
    id: row['id'] as string,
    endpointId: row['endpoint_id'] as string,
    eventType: row['type'] as string,
    status: deliveryStatuses.decode(row['status']),
    lastOutcome: row['last_outcome'] === null ? null : outcomes.decode(row['last_outcome']),
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    discarded: row['discarded_at'] !== null,
    obstacle,
  }
}

export function surveyDeliveries(
  context: SqliteContext,
  { scope, filter, ...step }: Parameters<Store['surveyDeliveries']>[0],
): Awaited<ReturnType<Store['surveyDeliveries']>> {
  const upTo = step.upTo ?? highest(context.db, 'deliveries')
  const { wanted, seen } = walkDeliveries(context, scope, filter, { ...step, upTo })
  return { ...stepEnd(seen, step.limit, upTo), groups: groupCandidates(wanted) }
}

/** The highest position there is now. */
export function highest(db: Database, table: 'events' | 'deliveries'): number {
  return (db.prepare(`SELECT max(position) AS position FROM ${table}`).get()?.['position'] as number | null) ?? 0
}
