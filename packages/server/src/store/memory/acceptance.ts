import { createHash } from 'node:crypto'
import type { AcceptBatch, AcceptItem, AcceptResult, AcceptTarget } from '../accept.ts'
import { completeBody } from '../body.ts'
import { MemoryNodes } from './nodes.ts'
import type { DeliveryState, EventState, NodeLife } from './state.ts'

/** Acceptance: the idempotency check, the check of the config version, and the inserts, all in one step. */
export class MemoryAcceptance extends MemoryNodes {
  acceptEvents(batch: AcceptBatch): Promise<AcceptResult[]> {
    return this.verb('acceptEvents', batch, ({ nodeId, recordedAt, items }) =>
      items.map((item) => this.acceptOne(item, recordedAt, nodeId)),
    )
  }

  protected acceptOne(item: AcceptItem, recordedAt: number, nodeId: string): AcceptResult {
    const earlier = this.findEarlier(item)
    if (earlier !== null) return this.answerAgain(earlier, item)
    if (this.isStale(item)) return { kind: 'stale', configVersion: this.configVersion }
    return this.insert(item, recordedAt, nodeId)
  }

  /** The event that has taken this idempotency key or this id. */
  protected findEarlier(item: AcceptItem): EventState | null {
    const { events, idempotencyKeys } = this.partition(item.tenantId, item.mode)
    const byKey = item.idempotencyKey === null ? undefined : idempotencyKeys.get(item.idempotencyKey)
    return byKey ?? events.get(item.eventId) ?? null
  }

  /** Whether it is the same request again. */
  protected sameBytes(earlier: EventState, item: AcceptItem): boolean {
    return Buffer.compare(earlier.fingerprint, item.fingerprint) === 0
  }

  /** Whether endpoints have changed since the item was matched with them. */
  protected isStale(item: AcceptItem): boolean {
    return item.configVersion !== this.configVersion
  }

  protected answerAgain(earlier: EventState, item: AcceptItem): AcceptResult {
    const { eventId, sequence, recordedAt } = earlier
    if (!this.sameBytes(earlier, item)) return { kind: 'conflict', eventId }
    return { kind: 'duplicate', eventId, sequence, recordedAt, deliveries: earlier.deliveriesAtAcceptance }
  }

  protected insert(item: AcceptItem, recordedAt: number, nodeId: string): AcceptResult {
    const event = this.insertEvent(item, recordedAt)
    const deliveries = this.insertDeliveries(event, item.targets, nodeId)
    const { position, sequence, bodySha256 } = event
    const deliveryPositions = deliveries.map((delivery) => delivery.position)
    return { kind: 'accepted', position, sequence, recordedAt, bodySha256, deliveryPositions }
  }

  protected insertEvent(item: AcceptItem, recordedAt: number): EventState {
    const { tenantId, mode, eventId, type, runId, deadline, fingerprint } = item
    const partition = this.partition(tenantId, mode)
    const sequence = runId === null ? null : this.nextSequence(item, runId)
    const body = completeBody(item, recordedAt, sequence)
    const event: EventState = {
      position: this.nextPosition(),
      tenantId,
      mode,
      eventId,
      type,
      runId,
      sequence,
      recordedAt,
      deadline,
      fingerprint,
      body,
      bodySha256: new Uint8Array(createHash('sha256').update(body).digest()),
      deliveriesAtAcceptance: item.targets.length,
      deliveries: [],
    }
    partition.events.set(eventId, event)
    if (item.idempotencyKey !== null) partition.idempotencyKeys.set(item.idempotencyKey, event)
    this.events.set(event.position, event)
    return event
  }

  protected nextSequence(item: AcceptItem, runId: string): number {
    const { sequences } = this.partition(item.tenantId, item.mode)
    const sequence = (sequences.get(runId) ?? 0) + 1
    sequences.set(runId, sequence)
    return sequence
  }

  protected insertDeliveries(event: EventState, targets: AcceptTarget[], nodeId: string): DeliveryState[] {
    return targets.map(({ deliveryId, endpointId, grant }) => {
      const delivery = this.insertDelivery(event, { id: deliveryId, endpointId, now: event.recordedAt })
      if (grant) this.startAttempt(delivery, this.lifeOf(nodeId), event.recordedAt)
      return delivery
    })
  }

  protected insertDelivery(event: EventState, input: { id: string; endpointId: string; now: number }): DeliveryState {
    const delivery: DeliveryState = {
      position: this.nextPosition(),
      id: input.id,
      event,
      endpointId: input.endpointId,
      status: 'pending',
      reason: null,
      attemptCount: 0,
      dueAt: input.now,
      cycleStart: 1,
      nextTrigger: 'scheduled',
      holder: null,
      suspect: false,
      crashesAlone: 0,
      createdAt: input.now,
      updatedAt: input.now,
      discardedAt: null,
      note: null,
      attempts: [],
    }
    event.deliveries.push(delivery)
    this.deliveries.set(delivery.position, delivery)
    this.deliveriesById.set(delivery.id, delivery)
    this.index(delivery)
    return delivery
  }

  /** Puts an attempt on record as started; nobody may send before this is committed (guarantee G8). */
  protected startAttempt(delivery: DeliveryState, holder: NodeLife, now: number): void {
    delivery.attemptCount = this.countAttempt(delivery)
    delivery.dueAt = null
    delivery.holder = holder
    delivery.updatedAt = now
    delivery.attempts.push({
      nodeId: holder.nodeId,
      number: delivery.attemptCount,
      trigger: delivery.nextTrigger,
      startedAt: now,
      durationMs: null,
      outcome: null,
      statusCode: null,
      requestHeaders: [],
      responseHeaders: {},
      excerpt: null,
      truncated: false,
      phases: { dns: null, connect: null, tls: null, wait: null },
    })
    delivery.nextTrigger = 'scheduled'
    this.index(delivery)
  }

  /** The number of the attempt that starts now. */
  protected countAttempt(delivery: DeliveryState): number {
    return delivery.attemptCount + 1
  }
}
