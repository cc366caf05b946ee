import type { DeliveryReason } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf } from '../../core/data-classes.ts'
import type { DeliveryRow, ReplayResult, Unannounced } from '../rows.ts'
import type { Store } from '../store.ts'
import { lastOutcome, sha256 } from './reading.ts'
import { MemoryApprovals } from './approvals.ts'
import type { DeliveryState, EventState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** Ending and reopening deliveries, by request and by rule. */
export class MemoryRequests extends MemoryApprovals {
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

  findUnannounced(input: Input<'findUnannounced'>): Promise<Unannounced[]> {
    return this.verb('findUnannounced', input, ({ limit }) => {
      const ended = [...this.deliveries.values()].filter(
        ({ watch, status }) => watch === 'yes' && status !== 'pending' && status !== 'delivered',
      )
      return ended.slice(0, limit).map((delivery) => {
        const { position, id, endpointId, status, reason, attemptCount, replays, event } = delivery
        const { tenantId, mode, eventId, runId, body } = event
        const facts = { position, deliveryId: id, endpointId, reason, attemptCount, replays }
        return {
          ...{ ...facts, tenantId, mode, eventId, runId, body },
          status: status as Unannounced['status'],
          lastOutcome: lastOutcome(delivery),
        }
      })
    })
  }

  replayDeliveries(input: Input<'replayDeliveries'>): Output<'replayDeliveries'> {
    return this.verb('replayDeliveries', input, (ask): ReplayResult => {
      const { eventPosition, target, now } = ask
      const event = this.events.get(eventPosition)
      if (event === undefined) return null
      if (event.payloadGone !== null) return 'payload_gone'
      const found = event.deliveries.filter((delivery) => {
        if (this.endpointOf(delivery).deletedAt !== null) return false
        if (target.kind === 'delivery') return delivery.id === target.deliveryId
        return target.kind === 'all' || delivery.endpointId === target.endpointId
      })
      if (target.kind === 'endpoint' && found.length === 0) return this.deliverNow(event, target, ask)
      if (target.kind !== 'all' && found.length === 0) return null
      const allowed = found.filter((delivery) => this.isGranted(delivery))
      if (allowed.length === 0 && found.length > 0) return 'policy_changed'
      for (const delivery of allowed) this.reopen(delivery, now)
      return found.map(({ id, endpointId, status }) => ({ id, endpointId, status }))
    })
  }

  eraseEvent(input: Input<'eraseEvent'>): Output<'eraseEvent'> {
    return this.verb('eraseEvent', input, ({ eventPosition, now }) => {
      const event = this.events.get(eventPosition)
      if (event === undefined || event.payloadGone?.by === 'erasure') return null
      event.payloadGone = { at: now, by: 'erasure' }
      event.warnings = []
      const pending = event.deliveries.filter(({ status }) => status === 'pending')
      for (const delivery of pending) this.end(delivery, 'cancelled', 'erased', now)
      for (const delivery of event.deliveries) {
        if (delivery.watch === 'yes') delivery.watch = 'announced'
      }
      this.emptyBodies(event)
      return { endpointIds: [...new Set(pending.map(({ endpointId }) => endpointId))] }
    })
  }

  /** What holds the payload of an event, or parts of it: bodies, and answers of receivers. */
  protected emptyBodies(event: EventState): void {
    event.body = new Uint8Array()
    for (const delivery of event.deliveries) {
      if (delivery.body !== null) delivery.erasedSha256 = sha256(delivery.body)
      delivery.body = null
      for (const attempt of delivery.attempts) Object.assign(attempt, { excerpt: null, responseHeaders: {} })
    }
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
      this.index(delivery)
      return this.deliveryRow(delivery)
    })
  }

  /**
   * The same delivery goes on: attempt numbers continue, the schedule starts afresh (details 21). An attempt that was
   * in flight when the delivery was ended is the first of the new cycle. A suspect stays one until it has an outcome.
   */
  protected reopen(delivery: DeliveryState, now: number): void {
    if (delivery.status === 'pending') return
    if (delivery.watch === 'announced') delivery.watch = 'yes'
    const inFlight = delivery.holder !== null
    Object.assign(delivery, {
      status: 'pending',
      reason: null,
      replays: delivery.replays + 1,
      cycleStart: delivery.attemptCount + (inFlight ? 0 : 1),
      nextTrigger: inFlight ? 'scheduled' : 'manual',
      dueAt: inFlight ? null : this.isPulled(delivery) ? this.nextPosition() : now,
      crashesAlone: 0,
      discardedAt: null,
      note: null,
      updatedAt: now,
    } satisfies Partial<DeliveryState>)
    this.index(delivery)
    this.enterLane(delivery)
  }

  /** An endpoint made after the event gets it only now, and only by this request (guarantee G5). */
  protected deliverNow(
    event: EventState,
    { endpointId, body, configVersion }: Extract<Input<'replayDeliveries'>['target'], { kind: 'endpoint' }>,
    { newDeliveryId: id, now }: Pick<Input<'replayDeliveries'>, 'newDeliveryId' | 'now'>,
  ): ReplayResult {
    if (configVersion !== undefined && configVersion !== this.configVersion) return 'stale'
    const endpoint = this.endpoints.get(endpointId)
    if (endpoint === undefined || endpoint.deletedAt !== null || endpoint.row.mode !== event.mode) return null
    if (endpoint.row.tenantId !== event.tenantId && endpoint.row.tenantId !== '*') return null
    const classes = body?.classes ?? event.classes
    if ((classes & ~(maskOf(endpoint.row.dataClasses) | ALWAYS_GRANTED)) !== 0) return 'policy_changed'
    const delivery = this.insertDelivery(event, { id, endpointId, now })
    Object.assign(delivery, {
      nextTrigger: 'manual',
      body: body?.bytes ?? null,
      classes,
    } satisfies Partial<DeliveryState>)
    return [{ id, endpointId, status: delivery.status }]
  }

  private reasonToCancel(delivery: DeliveryState, disabledBefore: number): DeliveryReason | null {
    const { row, deletedAt } = this.endpointOf(delivery)
    if (deletedAt !== null) return row.disabledReason === 'listener_gone' ? 'listener_gone' : 'endpoint_deleted'
    const disabled = row.status === 'disabled' && row.disabledAt !== null && row.disabledAt < disabledBefore
    if (disabled) return 'endpoint_disabled'
    return this.isGranted(delivery) ? null : 'policy_changed'
  }
}
