import type { CheckedEvent } from '../core/checked-event.ts'

/** One event, checked and rendered as far as it can be outside the transaction. */
export interface AcceptItem extends CheckedEvent {
  /** Keyed hash of the received bytes: same bytes, same fingerprint (details 4). */
  fingerprint: Uint8Array
  /** The endpoints it matched, as of `configVersion`. */
  targets: AcceptTarget[]
  configVersion: number
}

export interface AcceptTarget {
  endpointId: string
  deliveryId: string
  /** A free slot is reserved: record attempt 1 in the same transaction (details 2). */
  grant: boolean
}

export interface AcceptBatch {
  /** Who holds the granted attempts. */
  nodeId: string
  recordedAt: number
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
    }
  | { kind: 'duplicate'; eventId: string; sequence: number | null; recordedAt: number; deliveries: number }
  | { kind: 'conflict'; eventId: string }
  /** Endpoints changed since the item was matched: match again and try again. */
  | { kind: 'stale'; configVersion: number }
