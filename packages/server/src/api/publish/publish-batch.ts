import type { BatchAccepted, BatchResult } from '@runbell/sdk/contract'
import type { CheckedEvent } from '../../core/checked-event.ts'
import { splitJsonArray, type JsonSpan } from '../../core/json-split.ts'
import { jsonAnswer, type Answer } from '../http/answer.ts'
import { Refused, invalid, renderProblem, refused } from '../http/problem.ts'
import { refusalOfJson } from '../http/json-refusal.ts'
import { Breath } from './breath.ts'
import type { PublishCall } from './publish-call.ts'
import { acceptItem, checkItemAfresh, type CheckedItem, type Published } from './publish-item.ts'
import { retryAfter } from './rate-headers.ts'
import { splitLines } from './spans.ts'

/**
 * `POST /v1/events/batch`: a JSON array or NDJSON. Each item stands alone: a bad one is rejected and harms no other.
 * They are handed over as they are checked, so that they share a few commits. A broken array stores nothing (details 6).
 */
export async function publishBatch(call: PublishCall): Promise<Answer> {
  const { context, requestId, bytes } = call
  if (call.header('idempotency-key') !== null) {
    const message = 'a batch has no Idempotency-Key header; each item can have an idempotency_key'
    throw invalid([{ path: '/headers/idempotency-key', message }], 'Put idempotency_key into each item.')
  }
  const underWay = new Map<string, Promise<Published>>()
  const results: Promise<Published>[] = []
  const breath = new Breath(context.clock)
  for (const { start, end } of findItems(call)) {
    if (breath.isDue()) await breath.take()
    const checked = checkItemAfresh(call, bytes.subarray(start, end), null)
    // Waited for only where the catalog is looked at again: those before are under way, those behind come after it.
    const item = checked instanceof Promise ? await checked : checked
    results.push(startItem(item, context, requestId, underWay))
  }
  const published = await Promise.all(results)
  const answer: BatchAccepted = { results: published.map((item) => resultOf(item, requestId)) }
  const waits = published.flatMap((item) => (item.ok ? [] : (item.retryAfterMs ?? [])))
  // Not one of them is worth trying sooner.
  return jsonAnswer(202, answer, waits.length === 0 ? {} : retryAfter(Math.min(...waits)))
}

function startItem(
  item: CheckedItem,
  context: PublishCall['context'],
  requestId: string,
  underWay: Map<string, Promise<Published>>,
): Promise<Published> {
  if (!item.ok) return Promise.resolve(item)
  // The same id again waits for the one before it, so that the first one in the batch is the first one stored.
  const key = identityOf(item.event)
  const before = underWay.get(key)
  const accept = () => acceptItem(context, item, requestId)
  const published = before === undefined ? accept() : before.then(accept)
  underWay.set(key, published)
  return published
}

function findItems(call: PublishCall): JsonSpan[] {
  const { bytes, kind, context } = call
  const { batchEvents } = context.limits
  if (kind === 'ndjson') {
    const lines = splitLines(bytes, batchEvents)
    if (lines !== null) return lines
    const detail = `A batch may have at most ${batchEvents} events.`
    throw refused('payload_too_large', detail, 'Send the events in several batches.')
  }
  const split = splitJsonArray(bytes, { maxItems: batchEvents })
  if (!split.ok) throw new Refused(refusalOfJson(split.error))
  return split.items
}

/** What makes an event the same one again. */
function identityOf(event: CheckedEvent): string {
  const { tenantId, idempotencyKey, eventId } = event
  return JSON.stringify(idempotencyKey === null ? ['id', tenantId, eventId] : ['key', tenantId, idempotencyKey])
}

function resultOf(item: Published, requestId: string): BatchResult {
  if (!item.ok) {
    return { event_id: item.eventId, status: 'rejected', problem: renderProblem(item.refusal, requestId) }
  }
  const { duplicate, ...accepted } = item.accepted
  return { ...accepted, status: duplicate ? 'duplicate' : 'accepted' }
}
