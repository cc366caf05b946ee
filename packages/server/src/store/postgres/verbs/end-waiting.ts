import type { DeliveryReason, DeliveryStatus } from '@runbell/sdk/contract'
import { deliveryStatuses } from '../../codes.ts'
import type { Session } from '../session.ts'

export interface End {
  status: Exclude<DeliveryStatus, 'pending'>
  reason: DeliveryReason
  now: number
}

/** Ends those of the deliveries that wait; one that is in flight stays as it is. Returns how many. */
export async function endWaiting(db: Session, deliveries: readonly number[], end: End): Promise<number> {
  if (deliveries.length === 0) return 0
  return db.run(
    `WITH gone AS (DELETE FROM queue WHERE delivery = ANY($1) AND due_at IS NOT NULL RETURNING delivery)
     UPDATE deliveries SET status = $2, reason = $3, updated_at = $4 FROM gone WHERE position = gone.delivery`,
    ...[deliveries, deliveryStatuses.encode(end.status), end.reason, end.now],
  )
}
