import type { Warning } from '@runbell/sdk/contract'
import type { AcceptBatch, AcceptItem, AcceptResult } from '../../accept.ts'
import { modes } from '../../codes.ts'
import { StoreUnavailable } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import { insertAudit } from './audit.ts'
import { readGround, type PostgresContext } from './context.ts'
import { insertEvents, type Taken } from './insert-events.ts'
import { removeNotices } from './notices.ts'
import { holdRuns, type Runs } from './run-lifecycle.ts'

/**
 * Reads what the whole batch needs, decides item by item, and writes what is left of it. Two that publish the same id at once: the
 * second one's insert fails, its transaction runs again, and finds the first one's event.
 */
export async function acceptEvents(context: PostgresContext, batch: AcceptBatch): Promise<AcceptResult[]> {
  const { db } = context
  const { items, recordedAt } = batch
  // Sent together, done one after another: who waited for a run sees what was committed meanwhile.
  const [{ node, configVersion }, runs, known] = await Promise.all([
    readGround(db, batch.nodeId),
    holdRuns(db, items),
    readKnown(db, items),
  ])
  if (node === null)
    throw new StoreUnavailable('unavailable', `node ${batch.nodeId} has not joined, or has lost its lease`)
  const taken: Taken[] = []
  const places: (number | null)[] = []
  const results = items.map((item): AcceptResult | null => {
    const result = decide(item, { batch, configVersion, runs, known, taken })
    places.push(result === null ? taken.length - 1 : null)
    return result
  })
  await markAnnounced(
    db,
    items.filter((_item, index) => results[index] === null || results[index]?.kind === 'duplicate'),
  )
  await removeNotices(
    db,
    items.flatMap(({ tells }, index) => (tells === undefined || isLeft(results[index]) ? [] : tells)),
  )
  if (taken.length === 0) return results as AcceptResult[]
  await insertAudit(db, ...taken.flatMap(({ item }) => item.audit ?? []))
  const ids = taken.flatMap(({ item }) => item.targets.map(({ endpointId }) => endpointId))
  const endpoints = await context.endpoints.byId(db, configVersion, ids)
  const written = Promise.all(runs.write(db, recordedAt))
  const [inserted] = await Promise.all([
    insertEvents(context, { taken, recordedAt, node: node.ref, endpoints }),
    written,
  ])
  let nextDelivery = inserted.position + taken.length
  const accepted = taken.map(({ item, sequence, warnings }, index): AcceptResult => {
    const deliveryPositions = item.targets.map(() => nextDelivery++)
    const bodySha256 = inserted.bodySha256[index] as Uint8Array
    const position = inserted.position + index
    return { kind: 'accepted', position, sequence, recordedAt, bodySha256, deliveryPositions, warnings }
  })
  return results.map((result, index) => result ?? (accepted[places[index] as number] as AcceptResult))
}

/** Nothing has been said of it yet: it is neither taken nor known. */
function isLeft(result: AcceptResult | null | undefined): boolean {
  return result?.kind === 'stale' || result?.kind === 'refused'
}

interface Deciding {
  batch: AcceptBatch
  configVersion: number
  runs: Runs
  known: Known
  taken: Taken[]
}

/** `null`: it is taken. Otherwise the answer, in the order of the rules: idempotency, `stale`, lifecycle and budget. */
function decide(item: AcceptItem, { batch, configVersion, runs, known, taken }: Deciding): AcceptResult | null {
  const earlier = known.get(knownKeyOf(item))
  if (earlier !== undefined) return answerAgain(earlier, item)
  if (item.configVersion !== configVersion) return { kind: 'stale', configVersion }
  const step = runs.step(item, batch.runEventBudget, batch.recordedAt)
  if (step.kind === 'refused') return step
  const { ref: run, sequence, warnings } = step
  taken.push({ item, run, sequence, warnings })
  known.set(knownKeyOf(item), {
    ...{ eventId: item.eventId, fingerprint: item.fingerprint, sequence, recordedAt: batch.recordedAt, warnings },
    deliveries: item.targets.length,
  })
  return null
}

/** What an event was answered with when it was accepted. */
interface Earlier {
  eventId: string
  fingerprint: Uint8Array
  sequence: number | null
  recordedAt: number
  deliveries: number
  warnings: Warning[]
}

type Known = Map<string, Earlier>

/** The first answer for the same bytes, a conflict for others. */
function answerAgain({ fingerprint, ...answer }: Earlier, item: AcceptItem): AcceptResult {
  if (Buffer.compare(fingerprint, item.fingerprint) !== 0) return { kind: 'conflict', eventId: answer.eventId }
  return { kind: 'duplicate', ...answer }
}

/** An item is known by its idempotency key, where it has one, and by its id otherwise. */
function knownKeyOf({ mode, tenantId, eventId, idempotencyKey }: AcceptItem): string {
  return keyText(modes.encode(mode), tenantId, idempotencyKey === null ? 'id' : 'key', idempotencyKey ?? eventId)
}

function keyText(mode: number, tenantId: string, kind: 'id' | 'key', value: string): string {
  return JSON.stringify([mode, tenantId, kind, value])
}

const ANSWER = 'e.event_id, e.sequence, e.recorded_at, e.delivery_count, e.fingerprint, e.warnings'

async function readKnown(db: Session, items: readonly AcceptItem[]): Promise<Known> {
  const byKey = items.filter(({ idempotencyKey }) => idempotencyKey !== null)
  const byId = items.filter(({ idempotencyKey }) => idempotencyKey === null)
  const [ids, keys] = await Promise.all([
    select(db, byId, {
      values: byId.map(({ eventId }) => eventId),
      join: 'JOIN events e ON e.event_id = k.value AND e.tenant_id = k.tenant_id AND e.mode = k.mode',
    }),
    select(db, byKey, {
      values: byKey.map(({ idempotencyKey }) => idempotencyKey as string),
      join: `JOIN idempotency_keys i ON i.mode = k.mode AND i.tenant_id = k.tenant_id AND i.key = k.value
        JOIN events e ON e.position = i.event`,
    }),
  ])
  const known: Known = new Map()
  const keep = (kind: 'id' | 'key') => (row: Row) => {
    known.set(
      keyText(row['mode'] as number, row['tenant_id'] as string, kind, row['value'] as string),
      earlierFrom(row),
    )
  }
  ids.forEach(keep('id'))
  keys.forEach(keep('key'))
  return known
}

function select(
  db: Session,
  items: readonly AcceptItem[],
  { values, join }: { values: string[]; join: string },
): Promise<Row[]> {
  if (items.length === 0) return Promise.resolve([])
  return db.rows(
    `SELECT k.mode, k.tenant_id, k.value, ${ANSWER}
     FROM unnest($1::smallint[], $2::text[], $3::text[]) AS k (mode, tenant_id, value) ${join}`,
    items.map(({ mode }) => modes.encode(mode)),
    items.map(({ tenantId }) => tenantId),
    values,
  )
}

function earlierFrom(row: Row): Earlier {
  return {
    eventId: row['event_id'] as string,
    fingerprint: row['fingerprint'] as Uint8Array,
    sequence: row['sequence'] as number | null,
    recordedAt: row['recorded_at'] as number,
    deliveries: row['delivery_count'] as number,
    warnings: row['warnings'] === null ? [] : (JSON.parse(row['warnings'] as string) as Warning[]),
  }
}

/**
 * Whoever was told of an end is not told again, also where the telling was known already. One that was replayed meanwhile
 * goes on being watched: its next end is another.
 */
async function markAnnounced(db: Session, items: readonly AcceptItem[]): Promise<void> {
  const ends = items.flatMap(({ announces }) => announces ?? []).toSorted((a, b) => a.position - b.position)
  if (ends.length === 0) return
  await db.run(
    `UPDATE deliveries SET watch = 2 FROM unnest($1::bigint[], $2::integer[]) AS told (position, replays)
     WHERE deliveries.position = told.position AND deliveries.replays = told.replays AND watch = 1 AND status >= 2`,
    ends.map(({ position }) => position),
    ends.map(({ replays }) => replays),
  )
}
