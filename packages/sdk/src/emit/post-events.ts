import { readBatchOutcome, readOutcome, type PublishOutcome } from './answer.ts'
import { send } from './http.ts'
import type { RunbellSettings } from './options.ts'
import type { SpooledEvent } from './spool.ts'

/** Refusals of a request as a whole that a smaller one may escape: too many bytes in all, one bad event among good ones. */
const SPLIT_STATUSES: readonly (number | null)[] = [400, 413, 422]

/**
 * Posts events in order and says what came of each. Several share a request; where that is refused as a whole, its halves
 * are tried, one after the other. Never rejects.
 */
export async function postEvents(
  events: readonly SpooledEvent[],
  signal: AbortSignal | undefined,
  settings: RunbellSettings,
): Promise<PublishOutcome[]> {
  const [first, ...others] = events
  if (first === undefined) return []
  const { key, timeoutMs, apiUrl } = settings
  const request = { key, timeoutMs, signal }
  if (others.length === 0) {
    const outcome = await send({ ...request, url: `${apiUrl}/events`, body: first.body }, settings.fetch)
    return [once(first, readOutcome(outcome))]
  }
  const body = `[${events.map((event) => event.body).join(',')}]`
  const outcome = await send({ ...request, url: `${apiUrl}/events/batch`, body }, settings.fetch)
  if (outcome.kind === 'answered' && SPLIT_STATUSES.includes(outcome.status)) {
    const middle = Math.ceil(events.length / 2)
    const former = await postEvents(events.slice(0, middle), signal, settings)
    const later = events.slice(middle)
    const obstacle = former.find((one) => one.kind === 'refused' && one.error.retryable)
    // What comes after an event that is still to come must not be there before it.
    if (obstacle !== undefined) return [...former, ...later.map(() => obstacle)]
    return [...former, ...(await postEvents(later, signal, settings))]
  }
  const outcomes = readBatchOutcome(outcome, events.length)
  return outcomes.map((one, index) => once(events[index] as SpooledEvent, one))
}

/** A once-only fact that is there already, with another timestamp perhaps, is published. */
function once(event: SpooledEvent, outcome: PublishOutcome): PublishOutcome {
  if (!event.once || outcome.kind === 'accepted' || outcome.error.code !== 'event_conflict') return outcome
  const accepted = { event_id: event.event_id, sequence: null, duplicate: true, deliveries: 0, warnings: [] }
  return { kind: 'accepted', accepted }
}
