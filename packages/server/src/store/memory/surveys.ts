import { subscribes } from '../../core/match.ts'
import type { EventFilter, ReadScope } from '../rows.ts'
import type { Store } from '../store.ts'
import {
  groupCandidates,
  groupEvents,
  isTypeWanted,
  isWanted,
  stepEnd,
  type Candidate,
  type EndedFilter,
  type Obstacle,
  type WalkStep,
} from '../surveys.ts'
import { MemoryDataKeys } from './data-keys.ts'
import { isWithin, lastOutcome } from './reading.ts'
import type { DeliveryState, EventState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** Walks in rising position. */
export class MemorySurveys extends MemoryDataKeys {
  surveyDeliveries(input: Input<'surveyDeliveries'>): Output<'surveyDeliveries'> {
    return this.verb('surveyDeliveries', input, ({ scope, filter, ...step }) => {
      const upTo = step.upTo ?? lastKey(this.deliveries)
      const { wanted, seen } = this.walkDeliveries(scope, filter, { ...step, upTo })
      return { ...stepEnd(seen, step.limit, upTo), groups: groupCandidates(wanted) }
    })
  }

  surveyEvents(input: Input<'surveyEvents'>): Output<'surveyEvents'> {
    return this.verb('surveyEvents', input, ({ scope, filter, subscriber, ...step }) => {
      const upTo = step.upTo ?? lastKey(this.events)
      const { wanted, seen } = this.#walkEvents(scope, filter, { ...step, upTo })
      const events = wanted
        .filter(({ type }) => subscribes(subscriber.eventTypes, type))
        .map(({ type: eventType, deliveries, payloadGone }) => {
          const isThere = deliveries.some(({ endpointId }) => endpointId === subscriber.endpointId)
          const obstacle: Obstacle | null = isThere ? 'already_there' : payloadGone === null ? null : 'payload_gone'
          return { eventType, obstacle }
        })
      return { ...stepEnd(seen, step.limit, upTo), groups: groupEvents(events) }
    })
  }

  scanEvents(input: Input<'scanEvents'>): Output<'scanEvents'> {
    return this.verb('scanEvents', input, ({ scope, filter, maxBytes, ...step }) => {
      const upTo = step.upTo ?? lastKey(this.events)
      const { wanted, seen } = this.#walkEvents(scope, filter, { ...step, upTo })
      let bytes = 0
      const end = wanted.findIndex(({ body }, index) => (bytes += body.length) > maxBytes && index > 0)
      if (end === -1) return { ...stepEnd(seen, step.limit, upTo), rows: wanted.map((event) => this.eventRow(event)) }
      const taken = wanted.slice(0, end)
      return { next: taken.at(-1)?.position as number, upTo, rows: taken.map((event) => this.eventRow(event)) }
    })
  }

  protected walkDeliveries(
    scope: ReadScope,
    filter: EndedFilter,
    { after, upTo, limit }: WalkStep & { upTo: number },
  ): { wanted: (Candidate & { state: DeliveryState })[]; seen: number[] } {
    const ahead = [...this.deliveries.values()].filter(({ position }) => position > after && position <= upTo)
    const rows = ahead.toSorted((a, b) => a.position - b.position).slice(0, limit)
    const wanted = rows
      .filter(({ event }) => this.sees(scope, event) && (filter.runId === null || event.runId === filter.runId))
      .map((state) => ({ ...this.#candidate(state), state }))
      .filter((candidate) => isWanted(filter, candidate))
    return { wanted, seen: rows.map(({ position }) => position) }
  }

  #walkEvents(scope: ReadScope, filter: EventFilter, { after, upTo, limit }: WalkStep & { upTo: number }) {
    const ahead = [...this.events.values()].filter(({ position }) => position > after && position <= upTo)
    const rows = ahead.toSorted((a, b) => a.position - b.position).slice(0, limit)
    const isWantedEvent = (event: EventState) =>
      this.sees(scope, event) &&
      (filter.runId === null || event.runId === filter.runId) &&
      isWithin(filter, event.recordedAt) &&
      isTypeWanted(filter, event.type)
    return { wanted: rows.filter(isWantedEvent), seen: rows.map(({ position }) => position) }
  }

  #candidate(state: DeliveryState): Candidate {
    const { position, id, endpointId, event, status, createdAt, updatedAt, discardedAt } = state
    return {
      ...{ position, id, endpointId, status, createdAt, updatedAt },
      eventType: event.type,
      lastOutcome: lastOutcome(state),
      discarded: discardedAt !== null,
      obstacle: this.#obstacle(state),
    }
  }

  #obstacle(state: DeliveryState): Obstacle | null {
    if (this.endpointOf(state).deletedAt !== null) return 'endpoint_deleted'
    if (state.event.payloadGone !== null) return 'payload_gone'
    return this.isGranted(state) ? null : 'policy_changed'
  }
}

/** Both maps are in commit order. */
function lastKey(map: ReadonlyMap<number, unknown>): number {
  return [...map.keys()].at(-1) ?? 0
}
