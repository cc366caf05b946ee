import type { EventFilter, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { groupEvents, isTypeWanted, stepEnd, type WalkStep } from '../../surveys.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { eventAt } from './read-events.ts'
import { highest } from './walk-deliveries.ts'
import { Where } from './where.ts'
import { subscribes } from '../../../core/match.ts'

const SELECT = `SELECT e.position, e.type, e.mode, e.tenant_id, e.recorded_at, e.erased_at, e.data_end - e.data_start AS bytes
  FROM events e`

/** Looks at the next `limit` events that may be wanted. `seen`: the positions of all it looked at. */
function walkEvents(
  db: Database,
  scope: ReadScope,
  filter: EventFilter,
  { after, upTo, limit }: WalkStep & { upTo: number },
): { wanted: Row[]; seen: number[] } {
  const where = new Where()
  if (filter.runId !== null) where.run('e.run', scope, filter.runId)
  where.and('e.position > ? AND e.position <= ?', after, upTo)
  const rows = db.prepare(`${SELECT} ${where.text} ORDER BY e.position LIMIT ?`).all(...where.values, limit) as Row[]
  const [mode, tenantId = null] = new Where().scope('e', scope).values
  const wanted = rows.filter((row) => {
    const recordedAt = row['recorded_at'] as number
    if (row['mode'] !== mode || (tenantId !== null && row['tenant_id'] !== tenantId)) return false
    if (filter.since !== null && recordedAt < filter.since) return false
    if (filter.until !== null && recordedAt >= filter.until) return false
    return isTypeWanted(filter, row['type'] as string)
  })
  return { wanted, seen: rows.map((row) => row['position'] as number) }
}

export function surveyEvents(
  { db }: SqliteContext,
  { scope, filter, subscriber, ...step }: Parameters<Store['surveyEvents']>[0],
): Awaited<ReturnType<Store['surveyEvents']>> {
  const upTo = step.upTo ?? highest(db, 'events')
  const { wanted, seen } = walkEvents(db, scope, filter, { ...step, upTo })
  const there = db.prepare(
    'SELECT 1 FROM deliveries WHERE event = ? AND endpoint = (SELECT ref FROM endpoints WHERE id = ?) LIMIT 1',
  )
  const subscribed = wanted.filter((row) => subscribes(subscriber.eventTypes, row['type'] as string))
  const events = subscribed.map((row) => {
    const isThere = there.get(row['position'] as number, subscriber.endpointId) !== undefined
    const obstacle = isThere ? 'already_there' : row['erased_at'] === null ? null : 'payload_gone'
    return { eventType: row['type'] as string, obstacle } as const
  })
  return { ...stepEnd(seen, step.limit, upTo), groups: groupEvents(events) }
}

export function scanEvents(
  { db }: SqliteContext,
  { scope, filter, maxBytes, ...step }: Parameters<Store['scanEvents']>[0],
): Awaited<ReturnType<Store['scanEvents']>> {
  const upTo = step.upTo ?? highest(db, 'events')
  const { wanted, seen } = walkEvents(db, scope, filter, { ...step, upTo })
  const taken = withinBytes(wanted, maxBytes)
  const rows = taken.map((row) => eventAt(db, row['position'] as number))
  if (taken.length === wanted.length) return { ...stepEnd(seen, step.limit, upTo), rows }
  return { next: taken.at(-1)?.['position'] as number, upTo, rows }
}

function withinBytes(rows: readonly Row[], maxBytes: number): Row[] {
  let bytes = 0
  const end = rows.findIndex((row, index) => (bytes += row['bytes'] as number) > maxBytes && index > 0)
  return end === -1 ? [...rows] : rows.slice(0, end)
}
