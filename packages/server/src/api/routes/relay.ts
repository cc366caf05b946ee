import { Buffer } from 'node:buffer'
import { z } from '@hono/zod-openapi'
import type { AttemptOutcome } from '../../core/attempt-outcome.ts'
import type { EndpointRow } from '../../store/rows.ts'
import type { RelayedAttempt } from '../context.ts'
import { emptyAnswer, jsonAnswer } from '../http/answer.ts'
import { invalid, notFound, refused } from '../http/problem.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint, idIn } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'

/** What may wait for a listener that does not read: some bodies of the largest size. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Of a receiver's body this much is kept (guarantee G11), and of its headers. */
const MAX_EXCERPT = 16 * 1024
const MAX_HEADER_BYTES = 16 * 1024
const NO_PHASES = { dns: null, connect: null, tls: null, wait: null }

/** What went wrong before there was a status. */
const ERRORS = ['timeout', 'dns_failed', 'connect_failed', 'tls_failed', 'protocol_error'] as const

const attemptSchema = z
  .object({
    attempt_id: z.string(),
    delivery_id: z.string(),
    number: z.int(),
    headers: z.record(z.string(), z.string()),
    body_base64: z.string(),
    timeout_ms: z.int().openapi({ description: 'Without an outcome by then the attempt ends as `timeout`.' }),
  })
  .openapi('RelayedAttempt')

/** @throws Refused `state_conflict` */
function requireRelay(endpoint: EndpointRow): void {
  if (endpoint.kind === 'relay') return
  throw refused('state_conflict', 'This endpoint is not of kind relay.', 'Create one with "kind": "relay".')
}

const listenRelay = defineRoute({
  method: 'get',
  path: '/v1/endpoints/{endpoint_id}/relay',
  operationId: 'listenRelay',
  summary:
    'Hands out the attempts of a relay endpoint as server-sent events; whoever listened before is sent away. 60 s after the last one left, the endpoint goes',
  scopes: ['manage'],
  query: tenantQuerySchema,
  answers: {
    200: {
      description: 'Events `ready`, `attempt` and, before the server ends the stream, `end` with a `reason`',
      schema: attemptSchema,
      contentType: 'text/event-stream',
    },
  },
  problems: ['not_found', 'state_conflict', 'rate_limited', 'unavailable'],
  async handle(call) {
    const { context, streams, principal, isHead } = call
    const endpoint = await findEndpoint(call)
    requireRelay(endpoint)
    if (isHead) return emptyAnswer(200)
    const stream = streams.open(principal, MAX_WAITING_BYTES)
    stream.send({ event: 'ready', data: JSON.stringify({ endpoint_id: endpoint.id }) })
    const leave = context.relays.attach(endpoint.id, {
      take: (attempt) => stream.send({ event: 'attempt', data: JSON.stringify(attemptView(attempt)) }),
      end: (reason) => stream.end(reason),
    })
    if (leave === null) {
      stream.end('stopping')
      throw refused(
        'unavailable',
        'This server delivers nothing, so nobody can listen here.',
        'Ask a server whose roles include worker.',
      )
    }
    stream.onClose(leave)
    return stream.answer
  },
})

function attemptView({
  attemptId,
  deliveryId,
  number,
  headers,
  body,
  timeoutMs,
}: RelayedAttempt): z.output<typeof attemptSchema> {
  return {
    attempt_id: attemptId,
    delivery_id: deliveryId,
    number,
    headers: Object.fromEntries(headers),
    body_base64: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'),
    timeout_ms: timeoutMs,
  }
}

const outcomeSchema = z
  .strictObject({
    status_code: z.int().min(100).max(599).optional().openapi({ description: 'What the receiver answered with.' }),
    error: z.enum(ERRORS).optional().openapi({ description: 'Instead, why there was no answer.' }),
    duration_ms: z.number().min(0).max(600_000),
    response_headers: z.record(z.string().max(200), z.string()).default({}),
    response_excerpt_base64: z
      .base64()
      .max(Math.ceil(MAX_EXCERPT / 3) * 4)
      .default('')
      .openapi({
        description: `The first ${MAX_EXCERPT} bytes of the answer's body.`,
      }),
    truncated: z.boolean().default(false).openapi({ description: 'There was more of the body.' }),
  })
  .openapi('RelayOutcome')

const settleRelay = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/relay/{attempt_id}',
  operationId: 'settleRelay',
  summary: 'Tells what an attempt that was handed out came to; it is put on record as the outcome of the attempt',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: outcomeSchema,
  answers: { 202: { description: 'It was taken', schema: z.object({ attempt_id: z.string() }) } },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const endpoint = await findEndpoint(call)
    requireRelay(endpoint)
    const attemptId = idIn(call, 'attempt_id')
    const outcome = outcomeOf(call.body)
    if (!call.context.relays.settle(endpoint.id, attemptId, outcome)) throw notFound()
    return jsonAnswer(202, { attempt_id: attemptId })
  },
})

/** @throws Refused `invalid_request` */
function outcomeOf(body: z.output<typeof outcomeSchema>): Exclude<AttemptOutcome, { kind: 'not_sent' }> {
  const { status_code: status, error, duration_ms: durationMs, truncated } = body
  if ((status === undefined) === (error === undefined)) {
    throw invalid([{ path: '/status_code', message: 'is needed, or error instead, and not both' }])
  }
  if (error !== undefined) {
    return { kind: 'failure', outcome: error, detail: 'told by the listener', phases: NO_PHASES, durationMs }
  }
  const headers = Object.fromEntries(
    Object.entries(body.response_headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (bytes > MAX_HEADER_BYTES) {
    throw invalid([{ path: '/response_headers', message: `may have at most ${MAX_HEADER_BYTES} bytes in all` }])
  }
  const excerpt = new Uint8Array(Buffer.from(body.response_excerpt_base64, 'base64'))
  if (excerpt.length > MAX_EXCERPT) {
    throw invalid([{ path: '/response_excerpt_base64', message: `may stand for at most ${MAX_EXCERPT} bytes` }])
  }
  return { kind: 'response', status: status as number, headers, excerpt, truncated, phases: NO_PHASES, durationMs }
}

export const RELAY_ROUTES: readonly Route[] = [listenRelay, settleRelay]
