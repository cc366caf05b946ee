import type { AttemptOutcomeName, DeliveryStatus } from '@runbell/sdk/contract'
import { subscribes } from '../core/match.ts'
import type { DeliveryFilter, EventFilter, EventRow, ReadScope } from './rows.ts'

export const ENDED_STATUSES = ['dead_lettered', 'delivered', 'cancelled', 'expired'] as const satisfies DeliveryStatus[]
export type EndedStatus = (typeof ENDED_STATUSES)[number]

/** Deliveries that have ended; dead letters that somebody has discarded are never among them. */
export interface EndedFilter extends Omit<DeliveryFilter, 'eventPosition' | 'statuses' | 'deadLetters'> {
  /** At least one. */
  statuses: EndedStatus[]
  /** Changed at this time or before; `null`: whenever. */
  changedUntil: number | null
}

/** Part of a walk in rising position: what follows `after`, no further than `upTo`. */
export interface WalkStep {
  /** 0 at the start. */
  after: number
  /** `null`: the highest position there is now. */
  upTo: number | null
  /** Rows to look at, 1 to 5,000; they need not be among those that are wanted. */
  limit: number
}

export interface Walked {
  /** Where the next step starts; `null`: this was the last. */
  next: number | null
  upTo: number
}

/** Why a delivery cannot be sent again, or an event cannot be sent to an endpoint that has not had it. */
export const OBSTACLES = ['endpoint_deleted', 'payload_gone', 'policy_changed', 'already_there'] as const
export type Obstacle = (typeof OBSTACLES)[number]

/** Deliveries that have all of this in common. */
export interface DeliveryGroup {
  endpointId: string
  eventType: string
  /** Outcome of the latest attempt that has one. */
  errorCode: AttemptOutcomeName | null
  /** What would keep them from being sent again. */
  obstacle: Obstacle | null
  count: number
  /** When the first and the last of them changed. */
  firstAt: number
  lastAt: number
  /** The one with the highest position. */
  exampleId: string
}

/** Events of one type. */
export interface EventGroup {
  eventType: string
  obstacle: Obstacle | null
  count: number
}

/** What an endpoint has subscribed to. */
export interface Subscriber {
  endpointId: string
  eventTypes: string[]
}

export interface SurveyVerbs {
  /** Counts deliveries, a bounded step at a time: groups of one step may come again in the next. */
  surveyDeliveries(
    input: { scope: ReadScope; filter: EndedFilter } & WalkStep,
  ): Promise<Walked & { groups: DeliveryGroup[] }>
  /** Counts the events that an endpoint has subscribed to, those it has a delivery of as `already_there`. */
  surveyEvents(
    input: { scope: ReadScope; filter: EventFilter; subscriber: Subscriber } & WalkStep,
  ): Promise<Walked & { groups: EventGroup[] }>
  /**
   * Events in rising position, which is the order of their commits (details 22). A step ends early once the bodies in it have
   * `maxBytes`, which one alone may exceed.
   */
  scanEvents(
    input: { scope: ReadScope; filter: EventFilter; maxBytes: number } & WalkStep,
  ): Promise<Walked & { rows: EventRow[] }>
}

/** A delivery as a walk comes across it. */
export interface Candidate {
  position: number
  id: string
  endpointId: string
  eventType: string
  status: DeliveryStatus
  lastOutcome: AttemptOutcomeName | null
  createdAt: number
  updatedAt: number
  discarded: boolean
  obstacle: Obstacle | null
}

/** Whether a filter wants a delivery; its mode, tenant and run have been looked at. */
export function isWanted(filter: EndedFilter, row: Candidate): boolean {
  if (row.discarded || !(filter.statuses as DeliveryStatus[]).includes(row.status)) return false
  if (filter.endpointId !== null && row.endpointId !== filter.endpointId) return false
  if (filter.errorCode !== null && row.lastOutcome !== filter.errorCode) return false
  if (filter.since !== null && row.createdAt < filter.since) return false
  if (filter.until !== null && row.createdAt >= filter.until) return false
  if (filter.changedUntil !== null && row.updatedAt > filter.changedUntil) return false
  return isTypeWanted(filter, row.eventType)
}

/** Whether the globs of a filter match a type; none match every type, `runbell.*` included. */
export function isTypeWanted({ types }: Pick<EventFilter, 'types'>, type: string): boolean {
  return types.length === 0 || subscribes(types, type)
}

/** What a step of a walk comes to: deliveries in groups, in the order in which they were first met. */
export function groupCandidates(candidates: readonly Candidate[]): DeliveryGroup[] {
  const groups = new Map<string, DeliveryGroup>()
  for (const { id, endpointId, eventType, lastOutcome, obstacle, updatedAt } of candidates) {
    const key = `${endpointId} ${eventType} ${lastOutcome} ${obstacle}`
    const group = groups.get(key)
    if (group === undefined) {
      const times = { firstAt: updatedAt, lastAt: updatedAt }
      groups.set(key, { endpointId, eventType, errorCode: lastOutcome, obstacle, count: 1, ...times, exampleId: id })
      continue
    }
    group.count += 1
    group.firstAt = Math.min(group.firstAt, updatedAt)
    group.lastAt = Math.max(group.lastAt, updatedAt)
    group.exampleId = id
  }
  return [...groups.values()]
}

/** The same for events. */
export function groupEvents(events: readonly Omit<EventGroup, 'count'>[]): EventGroup[] {
  const groups = new Map<string, EventGroup>()
  for (const { eventType, obstacle } of events) {
    const key = `${eventType} ${obstacle}`
    const group = groups.get(key) ?? { eventType, obstacle, count: 0 }
    group.count += 1
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** Where a walk goes on after a step that read these rows. */
export function stepEnd(positions: readonly number[], limit: number, upTo: number): Walked {
  const last = positions.at(-1)
  return { next: last === undefined || positions.length < limit ? null : last, upTo }
}
