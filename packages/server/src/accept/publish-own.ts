import type { Mode } from '@runbell/sdk/contract'
import type { Catalog } from '../core/catalog/type-contract.ts'
import { checkEvent } from '../core/check-event.ts'
import type { Refusal } from '../core/checked-event.ts'
import type { Clock } from '../core/clock.ts'
import { scanJson } from '../core/json-scan.ts'
import type { Acceptance, Acceptor, OwnEvent } from './acceptor.ts'

export interface OwnPublishing {
  acceptor: Acceptor
  clock: Pick<Clock, 'now'>
  catalog(mode: Mode): Catalog
  /** Keyed hash of an event's bytes, as publishing makes it. */
  fingerprint(bytes: Uint8Array): Uint8Array
  /** Without a slash at its end. */
  publicUrl(): string
}

/** The events are small; this only has to be more than they have. */
const WARN_BYTES = 1024 * 1024

/**
 * Takes an event that the service says itself through the same checks, rendering and acceptance as any other. Its id follows
 * from its cause, so whoever says the same again, or at the same time, makes no second one.
 *
 * @param bytes with an `event_id`
 * @throws StoreUnavailable when it is unknown whether the event was stored
 */
export async function publishOwn(
  { acceptor, clock, catalog, fingerprint, publicUrl }: OwnPublishing,
  mode: Mode,
  bytes: Uint8Array,
  own: OwnEvent,
): Promise<Acceptance | { kind: 'invalid'; refusal: Refusal }> {
  const scan = scanJson(bytes)
  if (!scan.ok) throw new Error(`an event of the service is not JSON: ${scan.error.message}`)
  const checked = checkEvent(scan.json, {
    mode,
    keyTenantId: null,
    now: clock.now(),
    idempotencyKey: null,
    newEventId: () => {
      throw new Error('an event of the service has an id of its own')
    },
    warnBytes: WARN_BYTES,
    catalog: catalog(mode),
    publicUrl: publicUrl(),
    internal: true,
  })
  if (!checked.ok) return { kind: 'invalid', refusal: checked.refusal }
  return acceptor.accept(checked.event, fingerprint(bytes), checked.bodies, own)
}
