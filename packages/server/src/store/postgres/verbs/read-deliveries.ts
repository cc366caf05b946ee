import { subscribes } from '../../../core/match.ts'
import { deliveryStatuses, modes, outcomes, triggers } from '../../codes.ts'
import type { AttemptRow, AttemptsOf, CursorPage, DeliveryFilter, DeliveryRow, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { dueForReader, NO_TURN } from '../../turns.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { Where, collectPage, isOneTenant, pageOf } from './where.ts'

/** Who is first in the lane in which it waits for its turn. */
const BEHIND = `CASE WHEN q.due_at = ${NO_TURN} THEN (SELECT id FROM deliveries WHERE position = coalesce(
    (SELECT h.delivery FROM held_lanes h WHERE h.endpoint = q.endpoint AND h.lane = q.lane LIMIT 1),
    (SELECT x.delivery FROM queue x WHERE x.endpoint = q.endpoint AND x.lane = q.lane ORDER BY x.delivery LIMIT 1))) END`
const COLUMNS = `d.position, d.id, d.event, d.tenant_id, d.mode, d.status, d.reason, d.attempt_count, d.last_outcome,
  d.created_at, d.updated_at, d.discarded_at, d.note, d.classes, CASE WHEN p.kind <> 1 THEN q.due_at END AS due_at,
  q.node, q.started_at, q.trigger, ${BEHIND} AS waits_behind,
  e.event_id, e.type, coalesce((SELECT sha256 FROM bodies WHERE ref = d.body), e.body_sha256) AS body_sha256,
  p.id AS endpoint_id, (SELECT run_id FROM runs WHERE ref = e.run) AS run_id`
const JOINED = `LEFT JOIN queue q ON q.delivery = d.position
  JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint`
const SELECT = `SELECT ${COLUMNS} FROM deliveries d ${JOINED}`

/** The delivery as its row, for verbs that have to look at it first; scope applied. */
export async function selectDelivery(db: Session, scope: ReadScope, deliveryId: string): Promise<Row | null> {
  const where = new Where().scope('d', scope).and('d.id = ?', deliveryId)
  return (await db.row(`${SELECT} ${where.text}`, ...where.values)) ?? null
}

export async function findDelivery(
  { db }: PostgresContext,
  input: Parameters<Store['findDelivery']>[0],
): Promise<DeliveryRow | null> {
  const row = await selectDelivery(db, input.scope, input.deliveryId)
  return row === null ? null : deliveryFrom(row)
}

export async function listDeliveries(
  { db }: PostgresContext,
  { scope, filter, page }: Parameters<Store['listDeliveries']>[0],
): Promise<CursorPage<DeliveryRow>> {
  if (filter.types.length === 0) {
    const { from, where, order } = selection(scope, filter, page.after)
    const sql = `SELECT ${COLUMNS} FROM ${from} ${where.text} ORDER BY ${order} LIMIT ${where.place(page.limit + 1)}`
    const rows = await db.rows(sql, ...where.values)
    const found = pageOf(rows, page.limit)
    return { rows: found.rows.map(deliveryFrom), next: found.next }
  }
  const read = (after: number | null, limit: number) => {
    const { from, where, order } = selection(scope, filter, after)
    const sql = `SELECT d.position, e.type FROM ${from} ${where.text} ORDER BY ${order} LIMIT ${where.place(limit)}`
    return db.rows(sql, ...where.values)
  }
  const found = await collectPage(page, read, (row) => subscribes(filter.types, row['type'] as string))
  const rows = await db.rows(`${SELECT} WHERE d.position = ANY($1) ORDER BY d.position DESC`, found.positions)
  return { rows: rows.map(deliveryFrom), next: found.next }
}

interface Selection {
  from: string
  where: Where
  order: string
}

/**
 * What has a short list of its own is looked for there: dead letters, and what is pending. `OFFSET 0` has Postgres go through that
 * list, one delivery after the other, also where it thinks that the list is long. Of an event or a run there are few.
 */
function selection(scope: ReadScope, filter: DeliveryFilter, after: number | null): Selection {
  const { deadLetters, statuses } = filter
  const arePending = statuses.length > 0 && statuses.every((status) => status === 'pending')
  const list = deadLetters ? 'dead_letters' : arePending ? 'queue' : null
  const where = conditions(filter)
  if (list !== null) {
    const one = 'SELECT * FROM deliveries WHERE position = listed.delivery OFFSET 0'
    const from = `${list} AS listed CROSS JOIN LATERAL (${one}) AS d ${JOINED}`
    // What the list knows itself is not looked up in each delivery.
    ofEndpoint(where, list === 'queue' ? 'listed' : 'd', filter)
    if (filter.runId !== null) where.run('e.run', scope, filter.runId)
    if (list === 'dead_letters' && isOneTenant(scope)) {
      return { from, where, order: where.newestOfTenant('listed', scope, 'listed.delivery', after) }
    }
    where.scope('listed', scope).before('listed.delivery', after)
    return { from, where, order: 'listed.delivery DESC' }
  }
  const from = `deliveries d ${JOINED}`
  const areFew = filter.eventPosition !== null || filter.runId !== null
  if (areFew || (filter.endpointId === null && !isOneTenant(scope))) {
    ofEndpoint(where.scope('d', scope), 'd', filter).before('d.position', after)
    if (filter.runId !== null) where.run('e.run', scope, filter.runId)
    return { from, where, order: 'd.position DESC' }
  }
  if (filter.endpointId === null && isOneTenant(scope)) {
    return { from, where, order: where.newestOfTenant('d', scope, 'd.position', after) }
  }
  const endpoint = { column: 'd.endpoint', value: filter.endpointId, term: ENDPOINT }
  return { from, where, order: where.scope('d', scope).newest([endpoint], 'd.position', after) }
}

const ENDPOINT = '(SELECT ref FROM endpoints WHERE id = ?)'

function ofEndpoint(where: Where, table: 'd' | 'listed', { endpointId }: DeliveryFilter): Where {
  return endpointId === null ? where : where.and(`${table}.endpoint = ${ENDPOINT}`, endpointId)
}

function conditions(filter: DeliveryFilter): Where {
  const where = new Where()
  if (filter.deadLetters) where.and('d.status = 2 AND d.discarded_at IS NULL')
  if (filter.eventPosition !== null) where.and('d.event = ?', filter.eventPosition)
  if (filter.since !== null) where.and('d.created_at >= ?', filter.since)
  if (filter.until !== null) where.and('d.created_at < ?', filter.until)
  if (filter.errorCode !== null) where.and('d.last_outcome = ?', outcomes.encode(filter.errorCode))
  if (filter.statuses.length > 0) where.and('d.status = ANY(?)', filter.statuses.map(deliveryStatuses.encode))
  return where
}

export async function listAttempts(
  { db }: PostgresContext,
  input: Parameters<Store['listAttempts']>[0],
): Promise<AttemptsOf | null> {
  const row = await selectDelivery(db, input.scope, input.deliveryId)
  if (row === null) return null
  const rows = await db.rows('SELECT * FROM attempts WHERE delivery = $1 ORDER BY number', row['position'] as number)
  const attempts = rows.map(attemptFrom)
  if (row['node'] !== null) attempts.push(attemptInFlight(row))
  return { delivery: deliveryFrom(row), attempts }
}

function deliveryFrom(row: Row): DeliveryRow {
  return {
    position: row['position'] as number,
    id: row['id'] as string,
    eventPosition: row['event'] as number,
    eventId: row['event_id'] as string,
    eventType: row['type'] as string,
    runId: row['run_id'] as string | null,
    endpointId: row['endpoint_id'] as string,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    status: deliveryStatuses.decode(row['status']),
    reason: row['reason'] as DeliveryRow['reason'],
    attemptCount: row['attempt_count'] as number,
    nextAttemptAt: dueForReader(row['due_at'] as number | null),
    waitsBehind: row['waits_behind'] as string | null,
    bodySha256: row['body_sha256'] as Uint8Array,
    classes: row['classes'] as number,
    lastOutcome: row['last_outcome'] === null ? null : outcomes.decode(row['last_outcome']),
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    discardedAt: row['discarded_at'] as number | null,
    note: row['note'] === null ? null : (JSON.parse(row['note'] as string) as string),
  }
}

function attemptFrom(row: Row): AttemptRow {
  return {
    number: row['number'] as number,
    trigger: triggers.decode(row['trigger']),
    startedAt: row['started_at'] as number,
    durationMs: row['duration_ms'] as number | null,
    outcome: outcomes.decode(row['outcome']),
    statusCode: row['status_code'] as number | null,
    requestHeaders: JSON.parse(row['request_headers'] as string) as AttemptRow['requestHeaders'],
    responseHeaders: JSON.parse(row['response_headers'] as string) as AttemptRow['responseHeaders'],
    excerpt: row['excerpt'] as Uint8Array | null,
    truncated: row['truncated'] as boolean,
    phases: JSON.parse(row['phases'] as string) as AttemptRow['phases'],
  }
}

function attemptInFlight(delivery: Row): AttemptRow {
  return {
    number: delivery['attempt_count'] as number,
    trigger: triggers.decode(delivery['trigger']),
    startedAt: delivery['started_at'] as number,
    durationMs: null,
    outcome: null,
    statusCode: null,
    requestHeaders: [],
    responseHeaders: {},
    excerpt: null,
    truncated: false,
    phases: { dns: null, connect: null, tls: null, wait: null },
  }
}
