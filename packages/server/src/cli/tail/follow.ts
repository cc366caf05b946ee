import type { DeliveryView, EventView, Page } from '@runbell/sdk/contract'
import { setTimeout as wait } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'

/** Something that is new since the last look. */
export type Activity = { kind: 'event'; event: EventView } | { kind: 'delivery'; delivery: DeliveryView }

/** How many of the newest are compared; what changes further back goes unseen. */
const WINDOW = 200

/**
 * What happens on a server, as it happens: new events, and deliveries whose state or number of attempts has changed.
 * @param query filters, as the lists take them
 */
export async function* follow(
  api: ApiClient,
  query: string,
  { signal, everyMs }: { signal: AbortSignal; everyMs: number },
): AsyncGenerator<Activity> {
  let events: ReadonlySet<string> | null = null
  let deliveries: ReadonlyMap<string, string> | null = null
  while (!signal.aborted) {
    const [newEvents, newDeliveries] = [
      await api.get<Page<EventView>>(`/v1/events?limit=${WINDOW}&${query}`),
      await api.get<Page<DeliveryView>>(`/v1/deliveries?limit=${WINDOW}&${query}`),
    ]
    const known = events
    if (known !== null) {
      for (const event of newEvents.data.toReversed()) if (!known.has(event.event_id)) yield { kind: 'event', event }
    }
    const before = deliveries
    if (before !== null) {
      for (const delivery of newDeliveries.data.toReversed()) {
        if (delivery.attempt_count > 0 && before.get(delivery.id) !== stateOf(delivery))
          yield { kind: 'delivery', delivery }
      }
    }
    events = new Set(newEvents.data.map(({ event_id: id }) => id))
    deliveries = new Map(newDeliveries.data.map((delivery) => [delivery.id, stateOf(delivery)]))
    await wait(everyMs, undefined, { signal }).catch(() => {})
  }
}

function stateOf({ status, attempt_count: count, next_attempt_at: next }: DeliveryView): string {
  return `${status} ${count} ${next}`
}
