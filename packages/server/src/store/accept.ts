import type { Warning } from '@runbell/sdk/contract'
import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { LifecycleRefusal } from '../core/catalog/lifecycle-fact.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import type { ClassMask } from '../core/data-classes.ts'
import type { PreparedEnvelope } from '../core/render.ts'

/** One event, checked and rendered as far as it can be outside the transaction. */
/** One end of a delivery. */
export interface AnnouncedEnd {
  position: number
  replays: number
}

export interface AcceptItem extends CheckedEvent {
  /** Keyed hash of the received bytes: same bytes, same fingerprint (details 4). */
  fingerprint: Uint8Array
  /** The endpoints it matched, as of `configVersion`. */
  targets: AcceptTarget[]
  configVersion: number
  /** The distinct bodies besides the uncut one that its targets get; at most one for each target. */
  bodies: PreparedBody[]
  /**
   * The delivery whose end this service event announces, and how often it was replayed by then: it may have been again, and
   * have ended again, which is another end. In the same transaction it stops being found by
   * `findUnannounced`, also where the event turns out to be a duplicate. `null` for what producers publish.
   */
  announces: AnnouncedEnd | null
  /** The notice that this service event is said for: taken away with it, also where it was said before. */
  tells?: number
  /** Put on record in the same transaction if it is accepted: of decisions that somebody makes through the service. */
  audit?: readonly AuditEntry[]
}

/** A body rendered as far as it can be outside the transaction: it is head, recorded_at, middle, sequence, tail, rest. */
export interface PreparedBody {
  envelope: PreparedEnvelope
  /** Everything after the envelope's tail, the closing brace included; it may be empty. */
  rest: Uint8Array
  /** The data classes of the values in it. */
  classes: ClassMask
}

export interface AcceptTarget {
  endpointId: string
  deliveryId: string
  /** Which of the item's `bodies` it gets; -1: the uncut body. */
  body: number
  /** A free slot is reserved: record attempt 1 in the same transaction (details 2). */
  grant: boolean
}

export interface AcceptBatch {
  /** Who holds the granted attempts. */
  nodeId: string
  recordedAt: number
  /** Events one run may have; the next one is refused. */
  runEventBudget: number
  items: AcceptItem[]
}

export type AcceptResult =
  | {
      kind: 'accepted'
      /** Commit order; later commits have higher positions. */
      position: number
      sequence: number | null
      recordedAt: number
      bodySha256: Uint8Array
      /** In the order of `targets`. */
      deliveryPositions: number[]
      /** That it breaks the lifecycle of its run; kept, and part of the answer a duplicate gets. */
      warnings: Warning[]
    }
  | {
      kind: 'duplicate'
      eventId: string
      sequence: number | null
      recordedAt: number
      deliveries: number
      warnings: Warning[]
    }
  | { kind: 'conflict'; eventId: string }
  /** Endpoints changed since the item was matched: match again and try again. */
  | { kind: 'stale'; configVersion: number }
  /** The lifecycle or the budget of its run forbids it; nothing was stored. */
  | { kind: 'refused'; code: LifecycleRefusal | 'run_event_budget_exceeded'; message: string }
