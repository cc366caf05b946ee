import type { Claim } from '../store/rows.ts'

/** Who hands out in-flight slots: the dispatcher, seen from here. */
export interface SlotSource {
  /** Reserves a free in-flight slot of this endpoint, if there is one now. */
  reserve(endpointId: string): boolean
  /** Gives back a reserved slot that was not used. */
  release(endpointId: string): void
  /** Attempts on record and still to be started; their slots are reserved. */
  start(claims: Claim[], configVersion: number): void
  /** A commit's fate is unknown: it may have left claims on record that nobody started. */
  reconcile(): void
  /** These endpoints have new pending deliveries. */
  wake(endpointIds: Iterable<string>): void
}
