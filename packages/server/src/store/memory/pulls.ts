import type { Store } from '../store.ts'
import { MemorySurveys } from './surveys.ts'
import type { DeliveryState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** What is fetched: `dueAt` of such a delivery is its place in the line. */
export class MemoryPulls extends MemorySurveys {
  pullDeliveries(input: Input<'pullDeliveries'>): Output<'pullDeliveries'> {
    return this.verb('pullDeliveries', input, ({ endpointId, now, limit, maxBytes }) => {
      const line = this.lineOf(endpointId).filter((one) => !this.isPastDeadline(one, now) && this.isGranted(one))
      let [bytes, place]: [number, number | null] = [0, null]
      const rows = []
      for (const delivery of line.slice(0, limit)) {
        const body = this.bodyOf(delivery)
        bytes += body.length
        if (rows.length > 0 && bytes > maxBytes) break
        place = delivery.dueAt
        const { position, id: deliveryId, event, attemptCount } = delivery
        rows.push({ position, deliveryId, eventId: event.eventId, number: attemptCount + 1, body })
      }
      return { rows, place }
    })
  }

  commitPulled(input: Input<'commitPulled'>): Promise<number> {
    return this.verb('commitPulled', input, ({ endpointId, place, now }) => {
      if (this.endpoints.get(endpointId)?.row.kind !== 'pull') return 0
      const committed = this.lineOf(endpointId).filter(({ dueAt }) => (dueAt ?? Infinity) <= place)
      for (const delivery of committed) this.#commit(delivery, now)
      return committed.length
    })
  }

  protected lineOf(endpointId: string): DeliveryState[] {
    const waiting = this.openOf(endpointId).filter((delivery) => this.isWaiting(delivery) && delivery.dueAt !== null)
    return waiting.toSorted((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0))
  }

  #commit(delivery: DeliveryState, now: number): void {
    delivery.attemptCount += 1
    delivery.attempts.push({
      ...{ nodeId: '', number: delivery.attemptCount, trigger: delivery.nextTrigger, startedAt: now, durationMs: 0 },
      ...{
        outcome: 'delivered',
        statusCode: null,
        requestHeaders: [],
        responseHeaders: {},
        excerpt: null,
        truncated: false,
      },
      phases: { dns: null, connect: null, tls: null, wait: null },
    })
    delivery.nextTrigger = 'scheduled'
    this.end(delivery, 'delivered', null, now)
  }
}
