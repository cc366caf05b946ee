import type { Envelope } from '../contract/index.ts'
import { problem, taken, type ReceiveAnswer } from './answer.ts'
import type { Claim } from './duplicate-store.ts'
import { Permanent, RetryLater } from './handler-errors.ts'
import type { ReceiverSettings } from './receiver-options.ts'

/** When to come again while someone else handles the event: most handlers take less. */
const BUSY_RETRY_AFTER_SECONDS = 5
const STORE_RETRY_AFTER_SECONDS = 5

/**
 * Handles a verified event once: claims it, does the work, marks it done. Whatever fails is answered so that the sender
 * comes again; only work that is done, or was done before, is answered with 2xx.
 * @param id the `webhook-id`
 */
export async function processEvent(
  event: Envelope,
  id: string,
  work: () => Promise<void>,
  settings: ReceiverSettings,
): Promise<ReceiveAnswer> {
  const { store, claimMs, now } = settings
  const report = (error: unknown) => reportSafely(settings, error, { eventId: id, type: event.type })
  const reported = async (write: () => Promise<void>) => {
    try {
      await write()
    } catch (error) {
      report(error)
    }
  }
  const claimedAt = now()
  let claim: Claim
  try {
    claim = await store.claim(id, claimMs)
  } catch (error) {
    report(error)
    const retry = { 'retry-after': String(STORE_RETRY_AFTER_SECONDS) }
    return problem(
      503,
      'store_failed',
      'The receiver cannot tell whether it has handled this event.',
      'Send it again.',
      retry,
    )
  }
  if (claim === 'done') return taken(id, { handled: true, duplicate: true })
  if (claim === 'busy') {
    // Not 2xx: if the work that is going on fails, this event has to come again.
    const retry = { 'retry-after': String(BUSY_RETRY_AFTER_SECONDS) }
    return problem(409, 'event_in_progress', 'This event is being handled right now.', 'Send it again later.', retry)
  }
  try {
    await work()
  } catch (error) {
    report(error)
    if (error instanceof Permanent) {
      await reported(() => store.done(id))
      return taken(id, { handled: true, duplicate: false, failed: true })
    }
    // After its end the claim may be someone else's: that one is not ours to drop.
    if (now() - claimedAt < claimMs) await reported(() => store.release(id))
    if (error instanceof RetryLater) {
      const retry = { 'retry-after': String(error.delaySeconds) }
      return problem(503, 'retry_later', 'A handler asks to be called again later.', 'Send it again then.', retry)
    }
    return problem(500, 'handler_failed', 'A handler failed.', 'Send it again; the log of the receiver says why.')
  }
  // The work is done, and repeating it helps no one: a store that fails now does not make the answer a failure.
  await reported(() => store.done(id))
  return taken(id, { handled: true, duplicate: false })
}

function reportSafely(settings: ReceiverSettings, error: unknown, where: { eventId: string; type: string }): void {
  try {
    settings.onError(error, where)
  } catch {
    // A broken reporter must not turn a handled event into a failed one.
  }
}
