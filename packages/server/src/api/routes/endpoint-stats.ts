import { z } from '@hono/zod-openapi'
import { percentile } from '../../core/percentile.ts'
import { jsonAnswer } from '../http/answer.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'
import { optionalTimeView, timeView } from '../views/time.ts'

/** What is looked at: the latest deliveries, within a day. */
const DELIVERIES = 1000
const WINDOW_MS = 24 * 3_600_000
/** Nobody needs to know how much more is waiting. */
const MOST_PENDING = 10_000

const time = z.string().openapi({ format: 'date-time' })
const count = z.number().int()

const statsSchema = z
  .object({
    endpoint_id: z.string(),
    since: time.openapi({
      description: `Attempts of its latest ${DELIVERIES} deliveries that started at or after this.`,
    }),
    attempts: count,
    delivered: count,
    success_rate: z.number().nullable().openapi({ description: '0 to 1; null: there were no attempts.' }),
    latency_ms: z
      .object({ p50: count, p95: count, p99: count })
      .nullable()
      .openapi({ description: 'Of attempts that were answered; null: none was.' }),
    queue_depth: count.openapi({ description: `Deliveries that wait, counted up to ${MOST_PENDING}.` }),
    oldest_pending_at: time.nullable(),
    circuit_state: z.enum(['closed', 'open', 'half_open']).openapi({
      description:
        'open: it has failed for a while, and one attempt in each interval finds out whether it works again.',
    }),
    in_flight: count,
    concurrency: count.openapi({ description: 'Requests at once that it has earned so far.' }),
    slow: z
      .boolean()
      .openapi({ description: 'It does not answer within half a second, and shares the slots for slow ones.' }),
  })
  .openapi('EndpointStats')

const getStats = defineRoute({
  method: 'get',
  path: '/v1/endpoints/{endpoint_id}/stats',
  operationId: 'getEndpointStats',
  summary: 'How deliveries to an endpoint go: successes, latency, what waits, and its circuit',
  scopes: ['read', 'manage'],
  query: tenantQuerySchema,
  answers: {
    200: {
      description: 'The figures; circuit, in_flight, concurrency and slow are those of this node',
      schema: statsSchema,
    },
  },
  problems: ['not_found'],
  async handle(call) {
    const { context, now } = call
    const { id } = await findEndpoint(call)
    const since = now - WINDOW_MS
    const ask = { endpointId: id, since, deliveries: DELIVERIES, pendingLimit: MOST_PENDING }
    const { attempts, pending, oldestPendingAt } = await context.store.readActivity(ask)
    const ended = attempts.filter(({ outcome }) => outcome !== null)
    const delivered = ended.filter(({ outcome }) => outcome === 'delivered').length
    const lane = context.stateOf(id)
    return jsonAnswer(200, {
      endpoint_id: id,
      since: timeView(since),
      attempts: ended.length,
      delivered,
      success_rate: ended.length === 0 ? null : delivered / ended.length,
      latency_ms: latencyOf(ended),
      queue_depth: pending,
      oldest_pending_at: optionalTimeView(oldestPendingAt),
      circuit_state: lane.circuit,
      in_flight: lane.inFlight,
      concurrency: lane.limit,
      slow: lane.isSlow,
    })
  },
})

const ANSWERED = new Set(['delivered', 'http_error', 'redirect'])

function latencyOf(attempts: readonly { outcome: string | null; durationMs: number | null }[]) {
  const answered = attempts.filter(({ outcome, durationMs }) => durationMs !== null && ANSWERED.has(outcome ?? ''))
  const sorted = answered.map(({ durationMs }) => durationMs as number).toSorted((a, b) => a - b)
  if (sorted.length === 0) return null
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) }
}

export const ENDPOINT_STATS_ROUTES: readonly Route[] = [getStats]
