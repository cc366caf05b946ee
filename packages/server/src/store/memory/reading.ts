import { createHash } from 'node:crypto'
import type { DeliveryCounts } from '@runbell/sdk/contract'
import { subscribes } from '../../core/match.ts'
import type {
  AttemptRow,
  AttemptsOf,
  CursorPage,
  DeliveryFilter,
  DeliveryRow,
  EventFilter,
  EventRow,
  PageRequest,
  ReadScope,
} from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryRecords } from './records.ts'
import type { AttemptState, DeliveryState, EventState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** What readers see: always one mode, and one tenant unless they may see all. */
export class MemoryReading extends MemoryRecords {
  findEvents(input: Input<'findEvents'>): Promise<EventRow[]> {
    return this.verb('findEvents', input, ({ scope, eventId }) => {
      const found = [...this.events.values()].filter((event) => event.eventId === eventId && this.sees(scope, event))
      return found.slice(0, 2).map((event) => this.eventRow(event))
    })
  }

  listEvents(input: Input<'listEvents'>): Promise<CursorPage<EventRow>> {
    return this.verb('listEvents', input, ({ scope, filter, page }) => {
      const found = [...this.events.values()].filter((event) => this.sees(scope, event) && eventMatches(filter, event))
      return pageOf(found, page, (event) => this.eventRow(event))
    })
  }

  readBody(input: Input<'readBody'>): Promise<Uint8Array | null> {
    return this.verb('readBody', input, ({ eventPosition, endpointId }) => {
      const event = this.events.get(eventPosition)
      if (event === undefined || event.payloadGone !== null) return null
      if (endpointId === null) return event.body
      const delivery = event.deliveries.find((candidate) => candidate.endpointId === endpointId)
      return delivery === undefined ? null : this.bodyOf(delivery)
    })
  }

  findDelivery(input: Input<'findDelivery'>): Promise<DeliveryRow | null> {
    return this.verb('findDelivery', input, ({ scope, deliveryId }) => {
      const delivery = this.visibleDelivery(scope, deliveryId)
      return delivery === null ? null : this.deliveryRow(delivery)
    })
  }

  listDeliveries(input: Input<'listDeliveries'>): Promise<CursorPage<DeliveryRow>> {
    return this.verb('listDeliveries', input, ({ scope, filter, page }) => {
      const found = [...this.deliveries.values()].filter(
        (delivery) => this.sees(scope, delivery.event) && deliveryMatches(filter, delivery),
      )
      return pageOf(found, page, (delivery) => this.deliveryRow(delivery))
    })
  }

  listAttempts(input: Input<'listAttempts'>): Promise<AttemptsOf | null> {
    return this.verb('listAttempts', input, ({ scope, deliveryId }) => {
      const delivery = this.visibleDelivery(scope, deliveryId)
      if (delivery === null) return null
      return { delivery: this.deliveryRow(delivery), attempts: delivery.attempts.map(attemptRow) }
    })
  }

  protected sees(scope: ReadScope, owner: { mode: string; tenantId: string | null }): boolean {
    return owner.mode === scope.mode && (scope.tenantId === null || owner.tenantId === scope.tenantId)
  }

  protected visibleDelivery(scope: ReadScope, deliveryId: string): DeliveryState | null {
    const delivery = this.deliveriesById.get(deliveryId)
    return delivery !== undefined && this.sees(scope, delivery.event) ? delivery : null
  }

  protected eventRow(event: EventState): EventRow {
    const {
      fingerprint: _print,
      deadline: _deadline,
      warnings: _warnings,
      deliveriesAtAcceptance: _count,
      ...row
    } = event
    const deliveries: DeliveryCounts = {
      total: 0,
      delivered: 0,
      pending: 0,
      dead_lettered: 0,
      cancelled: 0,
      expired: 0,
    }
    for (const { status } of event.deliveries) {
      deliveries.total += 1
      deliveries[status] += 1
    }
    return { ...row, deliveries }
  }

  private dueForReader({ endpointId, waitsForTurn, dueAt }: DeliveryState): number | null {
    return waitsForTurn || this.endpoints.get(endpointId)?.row.kind === 'pull' ? null : dueAt
  }

  /** Who is first in the lane in which it waits for its turn. */
  private waitsBehind({ lane, waitsForTurn }: DeliveryState): string | null {
    if (!waitsForTurn || lane === null) return null
    return [...(this.lanes.get(lane) ?? [])].toSorted((a, b) => a.position - b.position)[0]?.id ?? null
  }

  protected deliveryRow(delivery: DeliveryState): DeliveryRow {
    const { event } = delivery
    return {
      position: delivery.position,
      id: delivery.id,
      eventPosition: event.position,
      eventId: event.eventId,
      eventType: event.type,
      runId: event.runId,
      endpointId: delivery.endpointId,
      tenantId: event.tenantId,
      mode: event.mode,
      status: delivery.status,
      reason: delivery.reason,
      attemptCount: delivery.attemptCount,
      nextAttemptAt: this.dueForReader(delivery),
      waitsBehind: this.waitsBehind(delivery),
      bodySha256: delivery.erasedSha256 ?? (delivery.body === null ? event.bodySha256 : sha256(delivery.body)),
      classes: delivery.classes,
      lastOutcome: lastOutcome(delivery),
      createdAt: delivery.createdAt,
      updatedAt: delivery.updatedAt,
      discardedAt: delivery.discardedAt,
      note: delivery.note,
    }
  }
}

export function sha256(body: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(body).digest())
}

export function lastOutcome(delivery: DeliveryState): AttemptRow['outcome'] {
  return delivery.attempts.findLast(({ outcome }) => outcome !== null)?.outcome ?? delivery.prunedOutcome
}

function attemptRow({ nodeId: _nodeId, ...row }: AttemptState): AttemptRow {
  return row
}

function eventMatches(filter: EventFilter, event: EventState): boolean {
  if (filter.types.length > 0 && !subscribes(filter.types, event.type)) return false
  if (filter.runId !== null && event.runId !== filter.runId) return false
  return isWithin(filter, event.recordedAt)
}

function deliveryMatches(filter: DeliveryFilter, delivery: DeliveryState): boolean {
  const { event, status } = delivery
  if (filter.deadLetters && (status !== 'dead_lettered' || delivery.discardedAt !== null)) return false
  if (filter.statuses.length > 0 && !filter.statuses.includes(status)) return false
  if (filter.eventPosition !== null && event.position !== filter.eventPosition) return false
  if (filter.endpointId !== null && delivery.endpointId !== filter.endpointId) return false
  if (filter.runId !== null && event.runId !== filter.runId) return false
  if (filter.errorCode !== null && lastOutcome(delivery) !== filter.errorCode) return false
  if (filter.types.length > 0 && !subscribes(filter.types, event.type)) return false
  return isWithin(filter, delivery.createdAt)
}

export function isWithin({ since, until }: { since: number | null; until: number | null }, time: number): boolean {
  return (since === null || time >= since) && (until === null || time < until)
}

/** Newest first: positions fall. */
export function pageOf<State extends { position: number }, Row>(
  found: State[],
  { limit, after }: PageRequest,
  toRow: (state: State) => Row,
): CursorPage<Row> {
  const newestFirst = found.toSorted((a, b) => b.position - a.position)
  const rest = newestFirst.filter(({ position }) => after === null || position < after)
  const rows = rest.slice(0, limit)
  return { rows: rows.map(toRow), next: rest.length > limit ? (rows.at(-1)?.position ?? null) : null }
}
