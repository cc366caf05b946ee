import type { DeliveryReason } from '@runbell/sdk/contract'
import type { Store } from '../../store.ts'
import { deliveryStatuses } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

/** Ends waiting deliveries whose deadline has passed; those in flight end with their attempt. */
export function expireDeliveries({ db }: SqliteContext, input: Parameters<Store['expireDeliveries']>[0]): number {
  const { changes } = db
    .prepare(
      `UPDATE deliveries SET status = ?, reason = 'deadline_passed', due_at = NULL, updated_at = ?
       WHERE position IN (
         SELECT position FROM deliveries WHERE deadline <= ? AND deadline IS NOT NULL AND due_at IS NOT NULL
         ORDER BY deadline LIMIT ?)`,
    )
    .run(deliveryStatuses.encode('expired'), input.now, input.now, input.limit)
  return Number(changes)
}

export function cancelHeld({ db }: SqliteContext, input: Parameters<Store['cancelHeld']>[0]): number {
  const endpoints = db
    .prepare(
      `SELECT ref, deleted_at FROM endpoints INDEXED BY endpoints_unsettled
       WHERE settled = 0 AND (deleted_at IS NOT NULL OR disabled_at IS NOT NULL)
         AND (deleted_at IS NOT NULL OR disabled_at < ?)`,
    )
    .all(input.disabledBefore) as Row[]
  let cancelled = 0
  for (const endpoint of endpoints) {
    const room = input.limit - cancelled
    if (room <= 0) break
    const deleted = endpoint['deleted_at'] !== null
    const changes = cancelOf(db, {
      endpoint: endpoint['ref'] as number,
      reason: deleted ? 'endpoint_deleted' : 'endpoint_disabled',
      now: input.now,
      limit: room,
    })
    cancelled += changes
    if (deleted && changes < room) {
      db.prepare('UPDATE endpoints SET settled = 1 WHERE ref = ?').run(endpoint['ref'] as number)
    }
  }
  return cancelled
}

function cancelOf(
  db: Database,
  { endpoint, reason, now, limit }: { endpoint: number; reason: DeliveryReason; now: number; limit: number },
): number {
  let cancelled = 0
  // Once for each of the two partial indexes: what waits in the usual way, and suspects.
  for (const suspect of [0, 1]) {
    const { changes } = db
      .prepare(
        `UPDATE deliveries SET status = ?, reason = ?, due_at = NULL, updated_at = ?
         WHERE position IN (
           SELECT position FROM deliveries WHERE endpoint = ? AND due_at IS NOT NULL AND suspect = ${suspect} LIMIT ?)`,
      )
      .run(deliveryStatuses.encode('cancelled'), reason, now, endpoint, limit - cancelled)
    cancelled += Number(changes)
  }
  return cancelled
}
