import { subscribes } from '../../../core/match.ts'
import type { AttemptRow, AttemptsOf, CursorPage, DeliveryRow, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { dueForReader, NO_TURN } from '../../turns.ts'
import { deliveryStatuses, modes, outcomes, triggers } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { Where, collectPage, stretchBelow } from './where.ts'

/** Who is first in the lane in which it waits for its turn. */
const BEHIND = `CASE WHEN d.due_at = ${NO_TURN} THEN (
    SELECT id FROM deliveries WHERE endpoint = d.endpoint AND lane = d.lane ORDER BY position LIMIT 1) END`
const SELECT = `SELECT d.position, d.id, d.event, d.tenant_id, d.mode, d.status, d.reason, d.attempt_count,
  CASE WHEN p.kind <> 1 THEN d.due_at END AS due_at,
  d.node, d.started_at, d.trigger, d.last_outcome, d.created_at, d.updated_at, d.discarded_at, d.note,
  d.classes, e.event_id, e.type, ${BEHIND} AS waits_behind,
  coalesce((SELECT sha256 FROM bodies WHERE ref = d.body), e.body_sha256) AS body_sha256, p.id AS endpoint_id, (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
  FROM deliveries d JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint`

/** The delivery as its row, for verbs that have to look at it first; scope applied. */
export function selectDelivery(db: Database, scope: ReadScope, deliveryId: string): Row | null {
  const where = new Where().scope('d', scope).and('d.id = ?', deliveryId)
  return (db.prepare(`${SELECT} ${where.text}`).get(...where.values) as Row | undefined) ?? null
}

export function findDelivery({ db }: SqliteContext, input: Parameters<Store['findDelivery']>[0]): DeliveryRow | null {
  const row = selectDelivery(db, input.scope, input.deliveryId)
  return row === null ? null : deliveryFrom(row)
}

export function listDeliveries(
  { db }: SqliteContext,
  { scope, filter, page }: Parameters<Store['listDeliveries']>[0],
): CursorPage<DeliveryRow> {
  const where = new Where().scope('d', scope).before('d.position', page.after)
  const { eventPosition, endpointId, runId } = filter
  const hasIndex = eventPosition !== null || endpointId !== null || runId !== null
  const stretch = hasIndex ? null : stretchBelow(db, 'deliveries', page.after)
  if (stretch !== null) where.from('d.position', stretch.from)
  if (filter.deadLetters) where.and('d.status = 2 AND d.discarded_at IS NULL')
  if (filter.eventPosition !== null) where.and('d.event = ?', filter.eventPosition)
  if (filter.endpointId !== null) where.and('d.endpoint = (SELECT ref FROM endpoints WHERE id = ?)', filter.endpointId)
  if (filter.runId !== null) where.run('e.run', scope, filter.runId)
  if (filter.since !== null) where.and('d.created_at >= ?', filter.since)
  if (filter.until !== null) where.and('d.created_at < ?', filter.until)
  if (filter.errorCode !== null) where.and('d.last_outcome = ?', outcomes.encode(filter.errorCode))
  if (filter.statuses.length > 0) {
    const places = filter.statuses.map(() => '?').join(', ')
    where.and(`d.status IN (${places})`, ...filter.statuses.map(deliveryStatuses.encode))
  }
  const rows = db.prepare(`${SELECT} ${where.text} ORDER BY d.position DESC`).iterate(...where.values) as Iterable<Row>
  const wanted = (row: Row) => filter.types.length === 0 || subscribes(filter.types, row['type'] as string)
  const found = collectPage(rows, page.limit, wanted)
  return { rows: found.rows.map(deliveryFrom), next: found.next ?? stretch?.next ?? null }
}

export function listAttempts({ db }: SqliteContext, input: Parameters<Store['listAttempts']>[0]): AttemptsOf | null {
  const row = selectDelivery(db, input.scope, input.deliveryId)
  if (row === null) return null
  const rows = db
    .prepare('SELECT * FROM attempts WHERE delivery = ? ORDER BY number')
    .all(row['position'] as number) as Row[]
  const attempts = rows.map(attemptFrom)
  if (row['node'] !== null) attempts.push(attemptInFlight(row))
  return { delivery: deliveryFrom(row), attempts }
}

export function deliveryFrom(row: Row): DeliveryRow {
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
    note: row['note'] as string | null,
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
    truncated: row['truncated'] === 1,
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
