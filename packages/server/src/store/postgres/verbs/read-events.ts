import type { DeliveryCounts } from '@runbell/sdk/contract'
import { subscribes } from '../../../core/match.ts'
import { joinBody } from '../../body.ts'
import { deliveryStatuses, modes } from '../../codes.ts'
import type { CursorPage, EventRow, PayloadGone } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { Where, collectPage, isOneTenant, pageOf } from './where.ts'

const SELECT = `SELECT e.position, e.mode, e.tenant_id, e.event_id, e.type, e.sequence, e.recorded_at, e.body_sha256,
  e.schema_version, e.classes, e.erased_at, e.retired, e.prefix,
  substring(e.source FROM e.data_start + 1 FOR e.data_end - e.data_start) AS data,
  (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
  FROM events e`

export async function findEvents(
  { db }: PostgresContext,
  input: Parameters<Store['findEvents']>[0],
): Promise<EventRow[]> {
  const where = new Where().scope('e', input.scope).and('e.event_id = ?', input.eventId)
  return eventsFrom(db, await db.rows(`${SELECT} ${where.text} LIMIT 2`, ...where.values))
}

export async function listEvents(
  { db }: PostgresContext,
  { scope, filter, page }: Parameters<Store['listEvents']>[0],
): Promise<CursorPage<EventRow>> {
  const selection = (after: number | null) => {
    const where = new Where()
    if (filter.since !== null) where.and('e.recorded_at >= ?', filter.since)
    if (filter.until !== null) where.and('e.recorded_at < ?', filter.until)
    if (filter.runId === null && isOneTenant(scope)) {
      return { where, order: where.newestOfTenant('e', scope, 'e.position', after) }
    }
    where.scope('e', scope).before('e.position', after)
    if (filter.runId !== null) where.run('e.run', scope, filter.runId)
    return { where, order: 'e.position DESC' }
  }
  if (filter.types.length === 0) {
    const { where, order } = selection(page.after)
    const sql = `${SELECT} ${where.text} ORDER BY ${order} LIMIT ${where.place(page.limit + 1)}`
    const rows = await db.rows(sql, ...where.values)
    const found = pageOf(rows, page.limit)
    return { rows: await eventsFrom(db, found.rows), next: found.next }
  }
  const read = (after: number | null, limit: number) => {
    const { where, order } = selection(after)
    const sql = `SELECT e.position, e.type FROM events e ${where.text} ORDER BY ${order} LIMIT ${where.place(limit)}`
    return db.rows(sql, ...where.values)
  }
  const found = await collectPage(page, read, (row) => subscribes(filter.types, row['type'] as string))
  const rows = await db.rows(`${SELECT} WHERE e.position = ANY($1) ORDER BY e.position DESC`, found.positions)
  return { rows: await eventsFrom(db, rows), next: found.next }
}

export async function listRunEvents(
  { db }: PostgresContext,
  { run, after, limit }: Parameters<Store['listRunEvents']>[0],
): Promise<EventRow[]> {
  // Within a run, commit order and `sequence` are the same order.
  const sql = `${SELECT} WHERE e.run = $1 AND e.sequence > $2 ORDER BY e.position LIMIT $3`
  return eventsFrom(db, await db.rows(sql, run, after, limit))
}

/** The events that a run had at these places, as far as they are kept. */
export async function eventsOfRun(db: Session, run: number, sequences: readonly number[]): Promise<EventRow[]> {
  if (sequences.length === 0) return []
  return eventsFrom(db, await db.rows(`${SELECT} WHERE e.run = $1 AND e.sequence = ANY($2)`, run, [...sequences]))
}

/** The events at these positions, as far as there are any, in rising order. */
export async function eventsAt(db: Session, positions: readonly number[]): Promise<EventRow[]> {
  if (positions.length === 0) return []
  return eventsFrom(db, await db.rows(`${SELECT} WHERE e.position = ANY($1) ORDER BY e.position`, positions))
}

export async function readBody(
  { db }: PostgresContext,
  input: Parameters<Store['readBody']>[0],
): Promise<Uint8Array | null> {
  if (input.endpointId !== null) {
    const where = new Where().and('d.event = ?', input.eventPosition)
    where.and('d.endpoint = (SELECT ref FROM endpoints WHERE id = ?)', input.endpointId)
    const delivery = await db.row(
      `SELECT d.body, (SELECT body FROM bodies WHERE ref = d.body) AS own_body FROM deliveries d ${where.text} LIMIT 1`,
      ...where.values,
    )
    if (delivery === undefined) return null
    const own = delivery['own_body'] as Uint8Array
    if (delivery['body'] !== null) return own.length === 0 ? null : own
  }
  const row = await db.row(`${SELECT} WHERE e.position = $1 AND e.erased_at IS NULL`, input.eventPosition)
  return row === undefined ? null : joinBody(row['prefix'] as Uint8Array, row['data'] as Uint8Array)
}

async function eventsFrom(db: Session, rows: Row[]): Promise<EventRow[]> {
  const counts = await countDeliveries(
    db,
    rows.map((row) => row['position'] as number),
  )
  return rows.map((row) => ({
    position: row['position'] as number,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    eventId: row['event_id'] as string,
    type: row['type'] as string,
    runId: row['run_id'] as string | null,
    sequence: row['sequence'] as number | null,
    recordedAt: row['recorded_at'] as number,
    schemaVersion: row['schema_version'] as number,
    bodySha256: row['body_sha256'] as Uint8Array,
    body:
      row['erased_at'] === null ? joinBody(row['prefix'] as Uint8Array, row['data'] as Uint8Array) : new Uint8Array(),
    classes: row['classes'] as number,
    payloadGone: goneFrom(row),
    deliveries: counts.get(row['position'] as number) ?? NONE,
  }))
}

function goneFrom(row: Row): PayloadGone | null {
  const at = row['erased_at'] as number | null
  return at === null ? null : { at, by: row['retired'] === true ? 'retention' : 'erasure' }
}

const NONE: DeliveryCounts = { total: 0, delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }

async function countDeliveries(db: Session, events: number[]): Promise<Map<number, DeliveryCounts>> {
  const counts = new Map<number, DeliveryCounts>()
  if (events.length === 0) return counts
  const rows = await db.rows(
    `SELECT event, status, count(*)::integer AS count FROM deliveries WHERE event = ANY($1) GROUP BY event, status`,
    events,
  )
  for (const row of rows) {
    const event = row['event'] as number
    const count = row['count'] as number
    const before = counts.get(event) ?? NONE
    const status = deliveryStatuses.decode(row['status'])
    counts.set(event, { ...before, [status]: count, total: before.total + count })
  }
  return counts
}
