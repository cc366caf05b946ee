import { z } from '@hono/zod-openapi'
import type { EndpointTest } from '@runbell/sdk/contract'
import { subscribes } from '../../core/match.ts'
import { newId } from '../../core/new-id.ts'
import { outcomeName } from '../../core/verdict.ts'
import type { AttemptRow, EndpointRow } from '../../store/rows.ts'
import { auditOf } from '../access/audit.ts'
import { typeNames } from '../catalog/type-view.ts'
import type { SentOnce } from '../context.ts'
import { sampleBody } from '../endpoints/sample-body.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint } from '../read/find.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import { attemptView } from '../views/attempt-view.ts'
import { endpointTestSchema } from '../views/schemas.ts'

const bodySchema = z.strictObject({
  type: z.string().min(1).max(100).optional().openapi({
    description:
      'The type whose sample is sent; left out: the first one of the catalog that the endpoint subscribes to.',
    example: 'agent.approval.requested',
  }),
})

const sendSample = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/test',
  operationId: 'testEndpoint',
  summary:
    'Sends a sample to an endpoint now, whatever its status, and answers with the attempt and what to do about it',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: bodySchema,
  bodyOptional: true,
  answers: {
    200: {
      description: 'What came of it, also where it failed; nothing is on record but that it was tried',
      schema: endpointTestSchema,
    },
  },
  problems: ['not_found', 'unknown_event_type', 'state_conflict', 'rate_limited', 'unavailable'],
  async handle(call) {
    const { context, now, body } = call
    const endpoint = await findEndpoint(call)
    if (endpoint.url === null) {
      throw refused('state_conflict', 'The endpoint has no URL: events are fetched from it.', 'Fetch an event instead.')
    }
    const type = body.type ?? firstType(call, endpoint)
    const eventId = newId('event', 'test', now, context.random)
    const deliveryId = newId('delivery', 'test', now, context.random)
    const bytes = sampleBody(context, endpoint, { type, eventId, now })
    const record = {
      action: 'endpoint.tested',
      target: endpoint.id,
      tenantId: endpoint.tenantId,
      detail: { type },
    } as const
    await context.store.appendAudit({ entries: auditOf(call, record) })
    const sent = await context.sendOnce({ endpointId: endpoint.id, eventId, deliveryId, body: bytes })
    if (sent !== null && sent !== 'busy') context.log.info(lineOf(endpoint, type, sent), 'endpoint.tested')
    const row = attemptOf(sent)
    return jsonAnswer(200, {
      test: true,
      endpoint_id: endpoint.id,
      event_id: eventId,
      type,
      subscribed: subscribes(endpoint.eventTypes, type),
      body: new TextDecoder().decode(bytes),
      attempt: attemptView({ id: deliveryId }, row, true),
    } satisfies EndpointTest)
  },
})

/** Where it subscribes to nothing that is known yet: something any endpoint can be tried with. */
const ANY_TYPE = 'agent.run.completed'

function firstType({ context: { catalogs } }: Call<unknown, unknown>, { mode, eventTypes }: EndpointRow): string {
  return typeNames(catalogs, mode).find((type) => subscribes(eventTypes, type)) ?? ANY_TYPE
}

/** @throws Refused where nothing was sent */
function attemptOf(sent: SentOnce | 'busy' | null): AttemptRow {
  if (sent === null) throw notFound()
  if (sent === 'busy') {
    const detail = 'A sample is on its way to this endpoint already, or to many others.'
    throw refused('rate_limited', detail, 'Wait for its answer.', [], { 'retry-after': '1' })
  }
  const { outcome, startedAt, requestHeaders } = sent
  if (outcome.kind === 'not_sent') {
    throw refused(
      'unavailable',
      'Nothing was sent: the fault is on this side.',
      'Try again; the log of the server says why.',
    )
  }
  const response = outcome.kind === 'response' ? outcome : null
  return {
    number: 1,
    trigger: 'test',
    startedAt,
    durationMs: Math.round(outcome.durationMs),
    outcome: outcomeName(outcome),
    statusCode: response?.status ?? null,
    requestHeaders,
    responseHeaders: response?.headers ?? {},
    excerpt: response?.excerpt ?? null,
    truncated: response?.truncated ?? false,
    phases: outcome.phases,
  }
}

/** For the operator: the detail may name addresses. */
function lineOf({ id, tenantId, mode }: EndpointRow, type: string, { outcome }: SentOnce) {
  return {
    ...{ endpointId: id, tenantId, mode, eventType: type },
    outcome: outcome.kind === 'not_sent' ? 'not_sent' : outcomeName(outcome),
    statusCode: outcome.kind === 'response' ? outcome.status : null,
    detail: outcome.kind === 'response' ? null : outcome.detail,
  }
}

export const SAMPLE_SENDING_ROUTES: readonly Route[] = [sendSample]
