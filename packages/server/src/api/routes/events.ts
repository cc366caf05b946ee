import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Answer } from '../http/answer.ts'
import { textAnswer } from '../http/answer.ts'
import { notFound } from '../http/problem.ts'
import { anyId, eventQuerySchema, tenantQuery, tenantQuerySchema, toEventFilter } from '../read/filters.ts'
import { findEvent, scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { eventView } from '../views/event-view.ts'
import { hexView } from '../views/hex.ts'
import { eventSchema, pageOf } from '../views/schemas.ts'

const listEvents = defineRoute({
  method: 'get',
  path: '/v1/events',
  operationId: 'listEvents',
  summary: 'Lists events, newest first',
  scopes: ['read'],
  query: eventQuerySchema,
  answers: { 200: { description: 'A page of events', schema: pageOf(eventSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const filter = toEventFilter(call.query)
    const list = { route: 'events', filter: [scope, filter] }
    const page = pageRequest(call.cursors, list, call.query)
    return pageAnswer(call.cursors, list, await call.context.store.listEvents({ scope, filter, page }), eventView)
  },
})

const getEvent = defineRoute({
  method: 'get',
  path: '/v1/events/{event_id}',
  operationId: 'getEvent',
  summary: 'Shows an event with its source data',
  scopes: ['read'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The event', schema: eventSchema } },
  problems: ['not_found', 'ambiguous_id'],
  async handle(call) {
    return textAnswer(200, eventView(await findEvent(call)))
  },
})

const getEventBody = defineRoute({
  method: 'get',
  path: '/v1/events/{event_id}/body',
  operationId: 'getEventBody',
  summary: 'Returns the exact bytes: uncut, or as one endpoint receives them',
  scopes: ['read'],
  query: z.strictObject({ ...tenantQuery, endpoint_id: anyId.optional() }),
  answers: { 200: { description: 'The body; runbell-body-sha256 has its SHA-256 (hex)', schema: eventSchema } },
  problems: ['not_found', 'ambiguous_id'],
  async handle(call) {
    const { position } = await findEvent(call)
    const endpointId = call.query.endpoint_id ?? null
    const body = await call.context.store.readBody({ eventPosition: position, endpointId })
    if (body === null) throw notFound()
    return bytesAnswer(body)
  },
})

function bytesAnswer(body: Uint8Array): Answer {
  const sha256 = hexView(createHash('sha256').update(body).digest())
  const headers = { 'content-type': 'application/json', 'runbell-body-sha256': sha256 }
  return { status: 200, headers, body: new Uint8Array(body) }
}

export const EVENT_ROUTES: readonly Route[] = [listEvents, getEvent, getEventBody]
