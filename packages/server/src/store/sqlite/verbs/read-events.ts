import { subscribes } from '../../../core/match.ts'
import type { DeliveryCounts } from '@runbell/sdk/contract'
import type { CursorPage, EventRow, PayloadGone } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { joinBody } from '../../body.ts'
import { deliveryStatuses, modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { Where, collectPage, stretchBelow } from './where.ts'

const COLUMNS = `e.position, e.mode, e.tenant_id, e.event_id, e.type, e.sequence, e.recorded_at, e.body_sha256,
  e.schema_version, e.classes, e.erased_at, e.retired,
  (SELECT run_id FROM runs WHERE ref = e.run) AS run_id`

export function findEvents({ db }: SqliteContext, input: Parameters<Store['findEvents']>[0]): EventRow[] {
  const where = new Where().scope('e', input.scope).and('e.event_id = ?', input.eventId)
  const rows = db.prepare(`SELECT ${COLUMNS} FROM events e ${where.text} LIMIT 2`).all(...where.values) as Row[]
  return rows.map((row) => eventFrom(db, row))
}

export function listEvents(
  { db }: SqliteContext,
  { scope, filter, page }: Parameters<Store['listEvents']>[0],
): CursorPage<EventRow> {
  const where = new Where().scope('e', scope).before('e.position', page.after)
  const stretch = filter.runId === null ? stretchBelow(db, 'events', page.after) : null
  if (filter.runId !== null) where.run('e.run', scope, filter.runId)
  if (stretch !== null) where.from('e.position', stretch.from)
  if (filter.since !== null) where.and('e.recorded_at >= ?', filter.since)
  if (filter.until !== null) where.and('e.recorded_at < ?', filter.until)
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM events e ${where.text} ORDER BY e.position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const wanted = (row: Row) => filter.types.length === 0 || subscribes(filter.types, row['type'] as string)
  const { rows: found, next } = collectPage(rows, page.limit, wanted)
  return { rows: found.map((row) => eventFrom(db, row)), next: next ?? stretch?.next ?? null }
}

export function listRunEvents(
  { db }: SqliteContext,
  { run, after, limit }: Parameters<Store['listRunEvents']>[0],
): EventRow[] {
  // Within a run, commit order and `sequence` are the same order.
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM events e WHERE e.run = ? AND e.sequence > ? ORDER BY e.position LIMIT ?`)
    .all(run, after, limit) as Row[]
  return rows.map((row) => eventFrom(db, row))
}

/** The event that a run had at this place; `null`: there is none any more. */
export function eventOfRun({ db }: SqliteContext, run: number, sequence: number): EventRow | null {
  const row = db.prepare(`SELECT ${COLUMNS} FROM events e WHERE e.run = ? AND e.sequence = ?`).get(run, sequence)
  return row === undefined ? null : eventFrom(db, row)
}

/** The event at a position where there is one. */
export function eventAt(db: Database, position: number): EventRow {
  return eventFrom(db, db.prepare(`SELECT ${COLUMNS} FROM events e WHERE e.position = ?`).get(position) as Row)
}

export function readBody({ db }: SqliteContext, input: Parameters<Store['readBody']>[0]): Uint8Array | null {
  if (input.endpointId !== null) {
    const delivery = db
      .prepare(
        `SELECT d.body, (SELECT body FROM bodies WHERE ref = d.body) AS own_body FROM deliveries d
         WHERE d.event = ? AND d.endpoint = (SELECT ref FROM endpoints WHERE id = ?) LIMIT 1`,
      )
      .get(input.eventPosition, input.endpointId)
    if (delivery === undefined) return null
    const own = delivery['own_body'] as Uint8Array
    if (delivery['body'] !== null) return own.length === 0 ? null : own
  }
  return bodyOf(db, input.eventPosition)
}

function bodyOf(db: Database, position: number): Uint8Array | null {
  const row = db
    .prepare('SELECT prefix, source, data_start, data_end FROM events WHERE position = ? AND erased_at IS NULL')
    .get(position) as Row | undefined
  if (row === undefined) return null
  const source = row['source'] as Uint8Array
  return joinBody(row['prefix'] as Uint8Array, source.subarray(row['data_start'] as number, row['data_end'] as number))
}

function eventFrom(db: Database, row: Row): EventRow {
  const position = row['position'] as number
  return {
    position,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    eventId: row['event_id'] as string,
    type: row['type'] as string,
    runId: row['run_id'] as string | null,
    sequence: row['sequence'] as number | null,
    recordedAt: row['recorded_at'] as number,
    schemaVersion: row['schema_version'] as number,
    bodySha256: row['body_sha256'] as Uint8Array,
    body: bodyOf(db, position) ?? new Uint8Array(),
    classes: row['classes'] as number,
    payloadGone: goneFrom(row),
    deliveries: countDeliveries(db, position),
  }
}

function goneFrom(row: Row): PayloadGone | null {
  const at = row['erased_at'] as number | null
  return at === null ? null : { at, by: row['retired'] === 1 ? 'retention' : 'erasure' }
}

function countDeliveries(db: Database, event: number): DeliveryCounts {
  const counts = { total: 0, delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }
  const rows = db
    .prepare('SELECT status, count(*) AS count FROM deliveries WHERE event = ? GROUP BY status')
    .all(event) as Row[]
  for (const row of rows) {
    counts[deliveryStatuses.decode(row['status'])] = row['count'] as number
    counts.total += row['count'] as number
  }
  return counts
}
