import type { DeliveryRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses } from '../codes.ts'
import { findDelivery, selectDelivery } from './read-deliveries.ts'
import type { SqliteContext } from './context.ts'

export function cancelDelivery(
  context: SqliteContext,
  input: Parameters<Store['cancelDelivery']>[0],
): DeliveryRow | null {
  const row = selectDelivery(context.db, input.scope, input.deliveryId)
  if (row === null || deliveryStatuses.decode(row['status']) !== 'pending') return null
  context.db
    .prepare(`UPDATE deliveries SET status = ?, reason = 'requested', due_at = NULL, updated_at = ? WHERE position = ?`)
    .run(deliveryStatuses.encode('cancelled'), input.now, row['position'] as number)
  return findDelivery(context, input)
}

export function discardDeadLetter(
  context: SqliteContext,
  input: Parameters<Store['discardDeadLetter']>[0],
): DeliveryRow | null {
  const row = selectDelivery(context.db, input.scope, input.deliveryId)
  const listed =
    row !== null && deliveryStatuses.decode(row['status']) === 'dead_lettered' && row['discarded_at'] === null
  if (!listed) return null
  context.db
    .prepare('UPDATE deliveries SET discarded_at = ?, note = ?, updated_at = ? WHERE position = ?')
    .run(input.now, input.note, input.now, row['position'] as number)
  return findDelivery(context, input)
}
