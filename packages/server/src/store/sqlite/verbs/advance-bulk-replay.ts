import { takeStep, type Advanced, type BulkReplayRow, type ReplayCounts } from '../../bulk-replays.ts'
import type { Store } from '../../store.ts'
import type { Obstacle } from '../../surveys.ts'
import type { Database, Row } from '../database.ts'
import { bulkReplayFrom } from './bulk-replays.ts'
import type { SqliteContext } from './context.ts'
import { deliverNow, lookAgainAtAttempts, reopen } from './replay-deliveries.ts'
import { walkDeliveries } from './walk-deliveries.ts'

export function advanceBulkReplay(
  context: SqliteContext,
  { replay, fence, now, look, limit }: Parameters<Store['advanceBulkReplay']>[0],
): Advanced | null {
  const { db } = context
  const row = heldReplay(db, replay, fence)
  if (row === null) return null
  const { filter, upTo } = row.asked
  const found = walkDeliveries(context, row, filter, { after: row.cursor, upTo, limit: look })
  const { taken, cursor } = takeStep(found, { look, limit })
  const step = new Step(db, row)
  for (const { row: delivery, obstacle, position, endpointId } of taken) {
    if (obstacle !== null) {
      step.skip(obstacle)
      continue
    }
    lookAgainAtAttempts(db, delivery['event'] as number)
    reopen(db, delivery, now)
    step.took(position, endpointId)
  }
  return step.end(cursor, now)
}

export function deliverBulkReplay(
  context: SqliteContext,
  { replay, fence, now, from, to, items, configVersion }: Parameters<Store['deliverBulkReplay']>[0],
): Advanced | 'stale' | null {
  const { db } = context
  const row = heldReplay(db, replay, fence)
  const endpointId = row?.asked.toEndpointId ?? null
  if (row === null || endpointId === null || row.cursor !== from) return null
  if (configVersion !== db.configVersion()) return 'stale'
  const step = new Step(db, row)
  for (const { eventPosition, deliveryId: newDeliveryId, body } of items) {
    const obstacle = obstacleOf(db, eventPosition, endpointId)
    if (obstacle !== null) {
      step.skip(obstacle)
      continue
    }
    lookAgainAtAttempts(db, eventPosition)
    const target = { kind: 'endpoint' as const, endpointId, body }
    const made = deliverNow(context, { eventPosition, target, newDeliveryId, now }, target)
    if (!Array.isArray(made)) step.skip(made === 'policy_changed' ? 'policy_changed' : 'endpoint_deleted')
    else step.took(positionOf(db, newDeliveryId), endpointId)
  }
  return step.end(to, now)
}

function obstacleOf(db: Database, event: number, endpointId: string): Obstacle | null {
  const found = db.prepare('SELECT erased_at FROM events WHERE position = ?').get(event)
  if (found === undefined || found['erased_at'] !== null) return 'payload_gone'
  const there = db
    .prepare('SELECT 1 FROM deliveries WHERE event = ? AND endpoint = (SELECT ref FROM endpoints WHERE id = ?) LIMIT 1')
    .get(event, endpointId)
  return there === undefined ? null : 'already_there'
}

function positionOf(db: Database, deliveryId: string): number {
  return db.prepare('SELECT position FROM deliveries WHERE id = ?').get(deliveryId)?.['position'] as number
}

function heldReplay(db: Database, replay: number, fence: number): BulkReplayRow | null {
  const sql = `SELECT * FROM bulk_replays WHERE position = ? AND fence = ? AND status = 'running'`
  const row = db.prepare(sql).get(replay, fence) as Row | undefined
  return row === undefined ? null : bulkReplayFrom(row)
}

/** What one transaction of a bulk replay adds to it. */
class Step {
  readonly #db: Database
  readonly #row: BulkReplayRow
  readonly #counts: ReplayCounts
  readonly #endpointIds = new Set<string>()

  constructor(db: Database, row: BulkReplayRow) {
    this.#db = db
    this.#row = row
    this.#counts = structuredClone(row.counts)
  }

  skip(obstacle: Obstacle): void {
    this.#counts.skipped[obstacle] += 1
  }

  took(delivery: number, endpointId: string): void {
    this.#counts.replayed += 1
    this.#endpointIds.add(endpointId)
    // Its key holds that no delivery is taken twice.
    this.#db.prepare('INSERT INTO bulk_replay_items VALUES (?, ?)').run(this.#row.position, delivery)
  }

  /** @param cursor `null`: nothing is left */
  end(cursor: number | null, now: number): Advanced {
    const { position, asked, counts: before } = this.#row
    this.#db
      .prepare(
        'UPDATE bulk_replays SET cursor = ?, counts = ?, updated_at = ?, status = ?, ended_at = ? WHERE position = ?',
      )
      .run(
        cursor ?? asked.upTo,
        JSON.stringify(this.#counts),
        now,
        cursor === null ? 'completed' : 'running',
        cursor === null ? now : null,
        position,
      )
    const row = this.#db.prepare('SELECT * FROM bulk_replays WHERE position = ?').get(position) as Row
    const replayed = this.#counts.replayed - before.replayed
    return { row: bulkReplayFrom(row), replayed, endpointIds: [...this.#endpointIds] }
  }
}
