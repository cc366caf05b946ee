import type { AttemptOutcomeName, Mode } from '@runbell/sdk/contract'

/**
 * Something that is yet to be said with a service event. It is written in the transaction of what it is about, and only where an
 * endpoint names `runbell.*` types; `AcceptItem.tells` takes it away in the transaction that accepts the event.
 */
export interface Notice {
  position: number
  kind: 'dead_lettered' | 'disabled' | 'recovered'
  mode: Mode
  /** Whose endpoint it is; `*`: that of all tenants. */
  tenantId: string
  endpointId: string
  /** When it happened. */
  at: number
  reason: string | null
  failingSince: number | null
  /** Of a dead letter. */
  delivery: {
    deliveryId: string
    eventId: string
    eventType: string
    runId: string | null
    attemptCount: number
    /** How often it was replayed: after each time it can end again. */
    replays: number
    lastOutcome: AttemptOutcomeName | null
  } | null
}

/** An endpoint to which nothing has been delivered for a while. */
export interface FailingEndpoint {
  position: number
  endpointId: string
  mode: Mode
  tenantId: string
  failingSince: number
}

export interface NoticeVerbs {
  /** Oldest first. */
  findNotices(input: { limit: number }): Promise<Notice[]>
  /** Enabled endpoints that have failed since this time or longer, where an endpoint names `runbell.*` types; by position. */
  findFailingEndpoints(input: { since: number; after: number; limit: number }): Promise<FailingEndpoint[]>
}
