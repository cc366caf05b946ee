import type { Mode } from '@runbell/sdk/contract'

/**
 * What grows with time and is removed by age. `payloads`: bodies and what receivers answered; the event, its deliveries and
 * attempts stay. `attempts`: those of deliveries that ended. `idempotency`: `Idempotency-Key`s; an `event_id` is remembered as
 * long as its event. `events`: everything about an event.
 */
export const PRUNABLE = ['payloads', 'attempts', 'idempotency', 'events'] as const
export type Prunable = (typeof PRUNABLE)[number]

export interface PruneInput {
  what: Prunable
  mode: Mode
  /** Events recorded before. */
  before: number
  now: number
  /** How much work one call does: events and deliveries looked at, the last event's whole. */
  limit: number
  /**
   * `null`: go on where the last call ended. Otherwise look again at what had to be left because it was still needed, from
   * after this event's position on (0: from the start).
   */
  again: number | null
}

export interface PruneResult {
  removed: number
  /** Position of the last event looked at, to go on after it; `null`: there is no more now. */
  next: number | null
}

/** Removing what is older than it is kept (guarantee G20): each call a bounded piece of work, repeated by maintenance. */
export interface RetentionVerbs {
  /**
   * Removes what is old, oldest first, and never what something pending needs: deliveries that wait or are in flight, and
   * requests for approval whose end nobody has been told of. Those are looked at `again`. What a paused endpoint holds ends
   * `expired` (`held_past_retention`) (details 15), where `what` is `payloads` or `events`.
   */
  prune(input: PruneInput): Promise<PruneResult>
  /**
   * Removes endpoints deleted before `deletedBefore` of which no delivery is left. Returns how many went; fewer than `limit`:
   * that was all. Revoked API keys stay for ever: a start that is given one again must not bring it back.
   */
  pruneEndpoints(input: { deletedBefore: number; limit: number }): Promise<number>
  /**
   * Gives disk space that holds nothing back to the system, at most `maxBytes`, and lets `keepBytes` of it be for what comes
   * next. Returns how many bytes went.
   */
  reclaimSpace(input: { keepBytes: number; maxBytes: number }): Promise<number>
}
