import { createHash } from 'node:crypto'
import { PROBLEMS } from '@runbell/sdk/contract'
import type { OtlpSpan } from '../../core/otlp/otlp-data.ts'
import { eventsOfSpan, type SpanEvent } from '../../core/otlp/span-events.ts'
import { Refused } from '../http/problem.ts'
import { Breath } from '../publish/breath.ts'
import type { PublishCall } from '../publish/publish-call.ts'
import { acceptItem, checkItemAfresh, type Published } from '../publish/publish-item.ts'
import { retryAfter } from '../publish/rate-headers.ts'
import type { IngestCall } from './ingest.ts'

/** The events a span tells of. */
export function spanEvents(span: OtlpSpan, { principal }: IngestCall): SpanEvent[] {
  const { mode, tenantId: keyTenantId } = principal
  return eventsOfSpan(span, { mode, keyTenantId, digest })
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** In one moment what begins comes before what ends, and runs around their tool calls. */
const ORDER = ['agent.run.started', 'agent.tool_call.started', 'agent.tool_call.completed', 'agent.tool_call.failed']

/**
 * Publishes events as if they had come to `/v1/events`, in the order of their times. Returns what is to be said of those that were
 * refused for good.
 * @throws Refused where one of them may be taken later: then all of it has to come again
 */
export async function publishSpanEvents(call: IngestCall, events: readonly SpanEvent[]): Promise<string[]> {
  if (events.length === 0) return []
  const published: Promise<Published>[] = []
  const breath = new Breath(call.context.clock)
  for (const event of events.toSorted(byTime)) {
    if (breath.isDue()) await breath.take()
    const bytes = Buffer.from(JSON.stringify(event), 'utf8')
    const publishing: PublishCall = { ...call, kind: 'json', bytes, header: () => null }
    const item = await checkItemAfresh(publishing, bytes, null)
    published.push(item.ok ? acceptItem(call.context, item, call.requestId) : Promise.resolve(item))
  }
  const refusals = (await Promise.all(published)).flatMap((one) => (one.ok ? [] : one))
  const later = refusals.find(({ refusal }) => PROBLEMS[refusal.code].retryable)
  if (later !== undefined) {
    throw new Refused(later.refusal, later.retryAfterMs === undefined ? {} : retryAfter(later.retryAfterMs))
  }
  // Of the same span, sent again by an exporter that had learnt more of it.
  const wrong = refusals.filter(({ refusal }) => refusal.code !== 'event_conflict')
  const [first] = wrong
  if (first === undefined) return []
  return [`${wrong.length} events of spans were refused; the first: ${first.refusal.code}, ${first.refusal.detail}`]
}

function byTime(one: SpanEvent, other: SpanEvent): number {
  if (one.timestamp !== other.timestamp) return one.timestamp < other.timestamp ? -1 : 1
  return placeOf(one) - placeOf(other)
}

function placeOf({ type }: SpanEvent): number {
  const place = ORDER.indexOf(type)
  return place === -1 ? ORDER.length : place
}
