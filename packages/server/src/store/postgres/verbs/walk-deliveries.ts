import { deliveryStatuses, outcomes } from '../../codes.ts'
import type { ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { groupCandidates, isWanted, stepEnd, type Candidate, type EndedFilter, type WalkStep } from '../../surveys.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { endpointsByRef, isBeyond, requireEndpoint, type EndpointRef } from './endpoint-ref.ts'
import { Where, isOneTenant } from './where.ts'
import { modes } from '../../codes.ts'

export type FoundCandidate = Candidate & { event: number; endpoint: number }

/** Looks at the next `limit` deliveries that may be wanted. `seen`: the positions of all it looked at. */
export async function walkDeliveries(
  db: Session,
  scope: ReadScope,
  filter: EndedFilter,
  step: WalkStep & { upTo: number },
): Promise<{ wanted: FoundCandidate[]; seen: number[] }> {
  const { sql, where } = base(scope, filter, step)
  const rows = await db.rows(sql, ...where.values)
  const found = await candidatesFrom(
    db,
    rows.filter((row) => isInScope(scope, row)),
  )
  return {
    wanted: found.filter((candidate) => isWanted(filter, candidate)),
    seen: rows.map((row) => row['position'] as number),
  }
}

const COLUMNS = `d.position, d.id, d.status, d.event, d.endpoint, d.classes, d.last_outcome, d.created_at, d.updated_at, d.discarded_at,
  d.mode, d.tenant_id, e.type, e.erased_at`
const ONE = 'SELECT * FROM deliveries WHERE position = listed.delivery OFFSET 0'

/**
 * The one list that is walked along, by its own index; what else is wanted is looked at row by row, so that a step is as short where
 * nothing fits as where everything does.
 */
function base(scope: ReadScope, filter: EndedFilter, { after, upTo, limit }: WalkStep & { upTo: number }) {
  const { runId, statuses, endpointId } = filter
  const where = new Where()
  const select = (from: string, order: string) => {
    const listed = `SELECT d.* FROM ${from} ${where.text} ORDER BY ${order} LIMIT ${where.place(limit)}`
    return {
      where,
      sql: `SELECT ${COLUMNS} FROM (${listed}) d JOIN events e ON e.position = d.event ORDER BY d.position`,
    }
  }
  const range = { after, upTo }
  if (runId !== null) {
    const runs = new Where().run('run', scope, runId)
    const term = runs.text.replaceAll(/\$\d+/g, '?')
    where.and(`d.event IN (SELECT position FROM events ${term})`, ...runs.values)
    return select('deliveries d', where.oldest([], 'd.position', range))
  }
  if (statuses.every((status) => status === 'dead_lettered')) {
    const order = isOneTenant(scope)
      ? where.oldestOfTenant('listed', scope, 'listed.delivery', range)
      : where.oldest([], 'listed.delivery', range)
    return select(`dead_letters AS listed CROSS JOIN LATERAL (${ONE}) AS d`, order)
  }
  if (endpointId !== null) {
    const endpoint = { column: 'd.endpoint', value: endpointId, term: '(SELECT ref FROM endpoints WHERE id = ?)' }
    return select('deliveries d', where.oldest([endpoint], 'd.position', range))
  }
  const order = isOneTenant(scope)
    ? where.oldestOfTenant('d', scope, 'd.position', range)
    : where.oldest([], 'd.position', range)
  return select('deliveries d', order)
}

/** For those that were found by a list of all tenants and modes. */
export function isInScope(scope: ReadScope, row: Row): boolean {
  return row['mode'] === modes.encode(scope.mode) && (scope.tenantId === null || row['tenant_id'] === scope.tenantId)
}

/** Deliveries by their positions, in rising order. */
export async function readCandidates(db: Session, positions: readonly number[]): Promise<FoundCandidate[]> {
  const sql = `SELECT ${COLUMNS} FROM deliveries d JOIN events e ON e.position = d.event WHERE d.position = ANY($1)
    ORDER BY d.position`
  return candidatesFrom(db, await db.rows(sql, positions))
}

async function candidatesFrom(db: Session, rows: readonly Row[]): Promise<FoundCandidate[]> {
  if (rows.length === 0) return []
  const endpoints = await endpointsByRef(
    db,
    rows.map((row) => row['endpoint'] as number),
  )
  return rows.map((row) => candidateFrom(row, requireEndpoint(endpoints, row['endpoint'])))
}

function candidateFrom(row: Row, endpoint: EndpointRef): FoundCandidate {
  const beyond = isBeyond(row, endpoint) ? 'policy_changed' : null
  const obstacle = endpoint.deleted ? 'endpoint_deleted' : row['erased_at'] === null ? beyond : 'payload_gone'
  return {
    position: row['position'] as number,
    id: row['id'] as string,
    event: row['event'] as number,
    endpoint: endpoint.ref,
    endpointId: endpoint.id,
    eventType: row['type'] as string,
    status: deliveryStatuses.decode(row['status']),
    lastOutcome: row['last_outcome'] === null ? null : outcomes.decode(row['last_outcome']),
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    discarded: row['discarded_at'] !== null,
    obstacle,
  }
}

export async function surveyDeliveries(
  { db }: PostgresContext,
  { scope, filter, ...step }: Parameters<Store['surveyDeliveries']>[0],
): ReturnType<Store['surveyDeliveries']> {
  const upTo = step.upTo ?? (await highest(db, 'deliveries'))
  const { wanted, seen } = await walkDeliveries(db, scope, filter, { ...step, upTo })
  return { ...stepEnd(seen, step.limit, upTo), groups: groupCandidates(wanted) }
}

/** The highest position there is now: what is committed later has a higher one (see `LOCKS`). */
export async function highest(db: Session, table: 'events' | 'deliveries'): Promise<number> {
  return ((await db.row(`SELECT max(position) AS position FROM ${table}`))?.['position'] as number | null) ?? 0
}
