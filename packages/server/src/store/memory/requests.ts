import type { DeliveryReason } from '@runbell/sdk/contract'
import type { DeliveryRow } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryReading } from './reading.ts'
import type { DeliveryState, EventState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** Ending and reopening deliveries, by request and by rule. */
export class MemoryRequests extends MemoryReading {
  /** What is in flight ends with its attempt: only the start of an attempt has a deadline. */
  expireDeliveries(input: Input<'expireDeliveries'>): Promise<number> {
    return this.verb('expireDeliveries', input, ({ now, limit }) => {
      const late = this.allOpen().filter((delivery) => this.isWaiting(delivery) && this.isPastDeadline(delivery, now))
      const taken = late.slice(0, limit)
      for (const delivery of taken) this.end(delivery, 'expired', 'deadline_passed', now)
      return taken.length
    })
  }

  cancelHeld(input: Input<'cancelHeld'>): Promise<number> {
    return this.verb('cancelHeld', input, ({ now, disabledBefore, limit }) => {
      let cancelled = 0
      for (const delivery of this.allOpen()) {
        const reason = this.isWaiting(delivery) ? this.reasonToCancel(delivery, disabledBefore) : null
        if (reason === null || cancelled === limit) continue
        this.end(delivery, 'cancelled', reason, now)
        cancelled += 1
      }
      return cancelled
    })
  }

  replayDeliveries(input: Input<'replayDeliveries'>): Output<'replayDeliveries'> {
    return this.verb('replayDeliveries', input, ({ eventPosition, target, newDeliveryId, now }) => {
      const event = this.events.get(eventPosition)
      if (event === undefined) return null
      const found = event.deliveries.filter((delivery) => {
        if (this.endpointOf(delivery).deletedAt !== null) return false
        if (target.kind === 'delivery') return delivery.id === target.deliveryId
        return target.kind === 'all' || delivery.endpointId === target.endpointId
      })
      if (target.kind === 'endpoint' && found.length === 0) {
        const made = this.deliverNow(event, target.endpointId, newDeliveryId, now)
        if (made !== null) found.push(made)
      }
      if (target.kind !== 'all' && found.length === 0) return null
      for (const delivery of found) this.reopen(delivery, now)
      return found.map(({ id, endpointId, status }) => ({ id, endpointId, status }))
    })
  }

  cancelDelivery(input: Input<'cancelDelivery'>): Promise<DeliveryRow | null> {
    return this.verb('cancelDelivery', input, ({ scope, deliveryId, now }) => {
      const delivery = this.visibleDelivery(scope, deliveryId)
      if (delivery?.status !== 'pending') return null
      this.end(delivery, 'cancelled', 'requested', now)
      return this.deliveryRow(delivery)
    })
  }

  discardDeadLetter(input: Input<'discardDeadLetter'>): Promise<DeliveryRow | null> {
    return this.verb('discardDeadLetter', input, ({ scope, deliveryId, note, now }) => {
      const delivery = this.visibleDelivery(scope, deliveryId)
      if (delivery?.status !== 'dead_lettered' || delivery.discardedAt !== null) return null
      Object.assign(delivery, { discardedAt: now, note, updatedAt: now })
      return this.deliveryRow(delivery)
    })
  }

  /**
   * The same delivery goes on: attempt numbers continue, the schedule starts afresh (details 21). An attempt that was
   * in flight when the delivery was ended is the first of the new cycle. A suspect stays one until it has an outcome.
   */
  protected reopen(delivery: DeliveryState, now: number): void {
    if (delivery.status === 'pending') return
    const inFlight = delivery.holder !== null
    Object.assign(delivery, {
      status: 'pending',
      reason: null,
      cycleStart: delivery.attemptCount + (inFlight ? 0 : 1),
      nextTrigger: inFlight ? 'scheduled' : 'manual',
      dueAt: inFlight ? null : now,
      crashesAlone: 0,
      discardedAt: null,
      note: null,
      updatedAt: now,
    } satisfies Partial<DeliveryState>)
    this.index(delivery)
  }

  /** An endpoint made after the event gets it only now, and only by this request (guarantee G5). */
  private deliverNow(event: EventState, endpointId: string, id: string, now: number): DeliveryState | null {
    const endpoint = this.endpoints.get(endpointId)
    if (endpoint === undefined || endpoint.deletedAt !== null || endpoint.row.mode !== event.mode) return null
    if (endpoint.row.tenantId !== event.tenantId && endpoint.row.tenantId !== '*') return null
    const delivery = this.insertDelivery(event, { id, endpointId, now })
    delivery.nextTrigger = 'manual'
    return delivery
  }

  private reasonToCancel(delivery: DeliveryState, disabledBefore: number): DeliveryReason | null {
    const { row, deletedAt } = this.endpointOf(delivery)
    if (deletedAt !== null) return 'endpoint_deleted'
    const disabled = row.status === 'disabled' && row.disabledAt !== null && row.disabledAt < disabledBefore
    return disabled ? 'endpoint_disabled' : null
  }
}
