import { publishOwn, type OwnPublishing } from '../accept/publish-own.ts'
import type { Unannounced } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { undeliveredApproval } from './undelivered-approval.ts'

export interface AnnouncerOptions extends OwnPublishing {
  store: Store
}

/** Deliveries looked at in one step. */
const BATCH = 100

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
  const { position, replays } = delivery
  const own = { announces: { position, replays } }
  const taken = await publishOwn(options, delivery.mode, undeliveredApproval(delivery), own)
  if (taken.kind === 'invalid') throw new Error(`a service event was refused: ${taken.refusal.detail}`)
  return taken.kind === 'accepted' || taken.kind === 'duplicate'
}
