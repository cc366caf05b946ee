import type { Acceptor } from '../accept/acceptor.ts'
import type { Catalog } from '../core/catalog/type-contract.ts'
import { checkEvent } from '../core/check-event.ts'
import type { Clock } from '../core/clock.ts'
import { scanJson } from '../core/json-scan.ts'
import type { Unannounced } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { undeliveredApproval } from './undelivered-approval.ts'

export interface AnnouncerOptions {
  store: Store
  acceptor: Acceptor
  clock: Clock
  catalog(mode: Unannounced['mode']): Catalog
  /** Keyed hash of an event's bytes, as publishing makes it. */
  fingerprint(bytes: Uint8Array): Uint8Array
  /** Without a slash at its end. */
  publicUrl(): string
}

/** Deliveries looked at in one step. */
const BATCH = 100
/** The events are small; this only has to be more than they have. */
const WARN_BYTES = 1024 * 1024

/**
 * Tells of requests for approval that ended without reaching an endpoint, with one `runbell.approval.undelivered` each:
 * accepted like any other event, and in the same transaction taken off the list. Its id follows from the delivery and how often
 * it was replayed, so whoever else does the same at the same time, or again after a crash, makes no second one.
 *
 * @returns how many were announced
 * @throws what went wrong with one of them, when all of its batch are done
 */
export async function announceUndelivered(options: AnnouncerOptions): Promise<{ announced: number }> {
  let announced = 0
  for (;;) {
    const found = await options.store.findUnannounced({ limit: BATCH })
    const results = await Promise.allSettled(found.map((delivery) => announce(options, delivery)))
    const failed = results.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    const done = results.filter((result) => result.status === 'fulfilled' && result.value).length
    announced += done
    if (found.length < BATCH || done === 0) return { announced }
  }
}

async function announce(options: AnnouncerOptions, delivery: Unannounced): Promise<boolean> {
  const { clock, acceptor, catalog, fingerprint, publicUrl } = options
  const bytes = undeliveredApproval(delivery)
  const scan = scanJson(bytes)
  if (!scan.ok) throw new Error(`a service event is not JSON: ${scan.error.message}`)
  const checked = checkEvent(scan.json, {
    mode: delivery.mode,
    keyTenantId: null,
    now: clock.now(),
    idempotencyKey: null,
    newEventId: () => {
      throw new Error('a service event has an id of its own')
    },
    warnBytes: WARN_BYTES,
    catalog: catalog(delivery.mode),
    publicUrl: publicUrl(),
    internal: true,
  })
  if (!checked.ok) throw new Error(`a service event was refused: ${checked.refusal.detail}`)
  const { position, replays } = delivery
  const taken = await acceptor.accept(checked.event, fingerprint(bytes), checked.bodies, { position, replays })
  return taken.kind === 'accepted' || taken.kind === 'duplicate'
}
