import { subscribes } from '../../../core/match.ts'
import type { EventFilter, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { groupEvents, isTypeWanted, stepEnd, type WalkStep } from '../../surveys.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { eventsAt } from './read-events.ts'
import { highest, isInScope } from './walk-deliveries.ts'
import { Where, isOneTenant } from './where.ts'

/** Looks at the next `limit` events that may be wanted. `seen`: the positions of all it looked at. */
async function walkEvents(
  db: Session,
  scope: ReadScope,
  filter: EventFilter,
  { after, upTo, limit }: WalkStep & { upTo: number },
): Promise<{ wanted: Row[]; seen: number[] }> {
  const where = new Where()
  if (filter.runId !== null) where.run('e.run', scope, filter.runId)
  const range = { after, upTo }
  const order =
    filter.runId === null && isOneTenant(scope)
      ? where.oldestOfTenant('e', scope, 'e.position', range)
      : where.oldest([], 'e.position', range)
  const rows = await db.rows(
    `SELECT e.position, e.type, e.mode, e.tenant_id, e.recorded_at, e.erased_at, e.data_end - e.data_start AS bytes
     FROM events e ${where.text} ORDER BY ${order} LIMIT ${where.place(limit)}`,
    ...where.values,
  )
  const wanted = rows.filter((row) => {
    const recordedAt = row['recorded_at'] as number
    if (!isInScope(scope, row)) return false
    if (filter.since !== null && recordedAt < filter.since) return false
    if (filter.until !== null && recordedAt >= filter.until) return false
    return isTypeWanted(filter, row['type'] as string)
  })
  return { wanted, seen: rows.map((row) => row['position'] as number) }
}

export async function surveyEvents(
  { db }: PostgresContext,
  { scope, filter, subscriber, ...step }: Parameters<Store['surveyEvents']>[0],
): ReturnType<Store['surveyEvents']> {
  const upTo = step.upTo ?? (await highest(db, 'events'))
  const { wanted, seen } = await walkEvents(db, scope, filter, { ...step, upTo })
  const subscribed = wanted.filter((row) => subscribes(subscriber.eventTypes, row['type'] as string))
  const there = await db.rows(
    'SELECT event FROM deliveries WHERE event = ANY($1) AND endpoint = (SELECT ref FROM endpoints WHERE id = $2)',
    ...[subscribed.map((row) => row['position'] as number), subscriber.endpointId],
  )
  const have = new Set(there.map((row) => row['event']))
  const events = subscribed.map((row) => {
    const gone = row['erased_at'] === null ? null : 'payload_gone'
    const obstacle = have.has(row['position']) ? 'already_there' : gone
    return { eventType: row['type'] as string, obstacle } as const
  })
  return { ...stepEnd(seen, step.limit, upTo), groups: groupEvents(events) }
}

export async function scanEvents(
  { db }: PostgresContext,
  { scope, filter, maxBytes, ...step }: Parameters<Store['scanEvents']>[0],
): ReturnType<Store['scanEvents']> {
  const upTo = step.upTo ?? (await highest(db, 'events'))
  const { wanted, seen } = await walkEvents(db, scope, filter, { ...step, upTo })
  const taken = withinBytes(wanted, maxBytes)
  const rows = await eventsAt(
    db,
    taken.map((row) => row['position'] as number),
  )
  if (taken.length === wanted.length) return { ...stepEnd(seen, step.limit, upTo), rows }
  return { next: taken.at(-1)?.['position'] as number, upTo, rows }
}

function withinBytes(rows: readonly Row[], maxBytes: number): Row[] {
  let bytes = 0
  const end = rows.findIndex((row, index) => (bytes += row['bytes'] as number) > maxBytes && index > 0)
  return end === -1 ? [...rows] : rows.slice(0, end)
}
