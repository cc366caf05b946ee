import { deliveryStatuses } from '../../codes.ts'
import type { DeliveryRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'
import { findDelivery } from './read-deliveries.ts'
import { Where } from './where.ts'

export async function cancelDelivery(
  context: PostgresContext,
  input: Parameters<Store['cancelDelivery']>[0],
): Promise<DeliveryRow | null> {
  const { db } = context
  const where = new Where().scope('deliveries', input.scope).and('id = ?', input.deliveryId)
  // What else happens to it at this moment, such as its claim, happens before or after.
  const position = (await db.row(`SELECT position FROM deliveries ${where.text}`, ...where.values))?.['position']
  if (position === undefined) return null
  await db.row('SELECT 1 FROM queue WHERE delivery = $1 FOR UPDATE', position as number)
  const cancelled = await db.run(
    `UPDATE deliveries SET status = $1, reason = 'requested', updated_at = $2 WHERE position = $3 AND status = $4`,
    deliveryStatuses.encode('cancelled'),
    input.now,
    position as number,
    deliveryStatuses.encode('pending'),
  )
  if (cancelled === 0) return null
  // An attempt in flight ends by itself.
  await db.run('DELETE FROM queue WHERE delivery = $1 AND due_at IS NOT NULL', position as number)
  return findDelivery(context, input)
}

export async function discardDeadLetter(
  context: PostgresContext,
  input: Parameters<Store['discardDeadLetter']>[0],
): Promise<DeliveryRow | null> {
  const where = new Where().scope('deliveries', input.scope).and('id = ?', input.deliveryId)
  where.and('status = ? AND discarded_at IS NULL', deliveryStatuses.encode('dead_lettered'))
  const now = where.place(input.now)
  const note = where.place(input.note === null ? null : JSON.stringify(input.note))
  const discarded = await context.db.run(
    `UPDATE deliveries SET discarded_at = ${now}, note = ${note}, updated_at = ${now} ${where.text}`,
    ...where.values,
  )
  return discarded === 0 ? null : findDelivery(context, input)
}
