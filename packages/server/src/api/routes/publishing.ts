import { z } from '@hono/zod-openapi'
import { problemAnswer } from '../http/problem.ts'
import { readRequest } from '../http/read-body.ts'
import type { PublishRequest } from '../publish/publish-call.ts'
import { servePublish } from '../publish/serve-publish.ts'
import type { Route, RouteDocs } from '../route.ts'
import { acceptedSchema, batchAcceptedSchema } from '../views/schemas.ts'

const text = z.string()

/** For the document only: events are checked by core, which reads bytes and never builds the whole value. */
const eventInputSchema = z
  .strictObject({
    type: text,
    data: z.record(text, z.unknown()),
    event_id: text.optional(),
    timestamp: text.optional(),
    schema_version: z.int().optional(),
    tenant_id: text.optional(),
    run_id: text.optional(),
    task_id: text.optional(),
    conversation_id: text.optional(),
    agent: z.object({ id: text, name: text.optional(), version: text.optional() }),
    trace_id: text.optional(),
    causation_id: text.optional(),
    metadata: z.record(text, text).optional(),
    expires_at: text.optional(),
    mode: z.enum(['live', 'test']).optional(),
    idempotency_key: text.optional(),
  })
  .openapi('PublishInput')

/** Both publishing routes, as `fetch` serves them; over HTTP the bare handler in `publish-listener.ts` does. */
function publishRoute(route: PublishRequest['route'], docs: Omit<RouteDocs, 'method' | 'scopes'>): Route {
  return {
    ...docs,
    method: 'post',
    scopes: ['publish'],
    async serve(services, { raw, requestId }) {
      const answer = await servePublish(services, {
        route,
        requestId,
        header: (name) => raw.headers.get(name),
        readBody: (maxBytes) => readRequest(raw, maxBytes),
      })
      const fix = 'Send it again.'
      const detail = 'The body ended before it was complete.'
      return answer ?? problemAnswer({ code: 'malformed_json', detail, errors: [], fix }, requestId)
    },
  }
}

export const PUBLISHING_ROUTES: readonly Route[] = [
  publishRoute('event', {
    path: '/v1/events',
    operationId: 'publishEvent',
    summary: 'Publishes an event; 202 means it is committed with its deliveries',
    bodies: { 'application/json': eventInputSchema },
    answers: { 202: { description: 'It is stored', schema: acceptedSchema } },
    problems: ['event_conflict', 'unknown_event_type', 'storage_full'],
  }),
  publishRoute('batch', {
    path: '/v1/events/batch',
    operationId: 'publishBatch',
    summary: 'Publishes up to 1,000 events; each is accepted or rejected by itself',
    bodies: { 'application/json': z.array(eventInputSchema), 'application/x-ndjson': eventInputSchema },
    answers: { 202: { description: 'A result for each item, in order', schema: batchAcceptedSchema } },
    problems: [],
  }),
]
