import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { DataClass } from '@runbell/sdk/contract'
import { classNames } from '../../core/data-classes.ts'
import type { DeliveryFilter, DeliveryRow, EventRow } from '../../store/rows.ts'
import type { Answer } from '../http/answer.ts'
import { textAnswer } from '../http/answer.ts'
import { notFound, payloadGone, refused, type Refused } from '../http/problem.ts'
import { cutForKey, unseen } from '../read/cut-for-key.ts'
import { eventTextFor } from '../read/event-row.ts'
import { anyId, eventQuerySchema, tenantQuery, tenantQuerySchema, toEventFilter } from '../read/filters.ts'
import { noteViews, type Reader } from '../read/note-views.ts'
import { findEvent, scopeOf, type Finding } from '../read/find.ts'
import { fillPage, pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { hexView } from '../views/hex.ts'
import { eventSchema, pageOf } from '../views/schemas.ts'

const CLOUD_EVENT = 'application/cloudevents+json'

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
    const asked = pageRequest(call.cursors, list, call.query)
    const { store, clock } = call.context
    const rows = await fillPage(clock, asked, (page) => store.listEvents({ scope, filter, page }))
    await noteViews(call, rows.rows)
    return pageAnswer(call.cursors, list, rows, (row) => eventTextFor(call, row))
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
    const event = await findEvent(call)
    await noteViews(call, [event])
    return textAnswer(200, eventTextFor(call, event))
  },
})

const getEventBody = defineRoute({
  method: 'get',
  path: '/v1/events/{event_id}/body',
  operationId: 'getEventBody',
  summary: 'Returns the exact bytes: as far as the key may see them, or as one endpoint receives them',
  scopes: ['read'],
  query: z.strictObject({ ...tenantQuery, endpoint_id: anyId.optional() }),
  answers: { 200: { description: 'The body; runbell-body-sha256 has its SHA-256 (hex)', schema: eventSchema } },
  problems: ['not_found', 'ambiguous_id', 'payload_expired'],
  async handle(call) {
    const event = await findEvent(call)
    const { context, principal, query } = call
    if (event.payloadGone !== null) throw payloadGone()
    if (query.endpoint_id !== undefined) return await bodyFor(call, event, query.endpoint_id)
    await noteViews(call, [event])
    return bytesAnswer(cutForKey(context, principal, event), 'application/json')
  },
})

/** The bytes that one endpoint receives. @throws Refused where the key may not see all of them */
async function bodyFor(call: Reader & Finding, event: EventRow, endpointId: string): Promise<Answer> {
  const { context, principal } = call
  const delivery = await deliveryTo(call, event.position, endpointId)
  const missing = unseen(principal, delivery.classes)
  if (missing !== 0) throw mayNotSee(classNames(missing))
  const body = await context.store.readBody({ eventPosition: event.position, endpointId })
  if (body === null) throw (await findEvent(call)).payloadGone === null ? notFound() : payloadGone()
  await noteViews(call, [event])
  const endpoint = await context.store.findEndpoint({ scope: { mode: principal.mode, tenantId: null }, endpointId })
  const isCloudEvent = endpoint?.format === 'cloudevents'
  return bytesAnswer(body, isCloudEvent ? CLOUD_EVENT : 'application/json')
}

async function deliveryTo(call: Finding, eventPosition: number, endpointId: string): Promise<DeliveryRow> {
  const filter = { ...ANY_DELIVERY, eventPosition, endpointId }
  const page = { limit: 1, after: null }
  const { rows } = await call.context.store.listDeliveries({ scope: scopeOf(call), filter, page })
  const [delivery] = rows
  if (delivery === undefined) throw notFound()
  return delivery
}

const ANY_DELIVERY: DeliveryFilter = {
  ...{ eventPosition: null, statuses: [], endpointId: null, runId: null, types: [], errorCode: null },
  ...{ since: null, until: null, deadLetters: false },
}

/** Exact bytes cannot be cut: it is all of them or none. */
function mayNotSee(classes: readonly DataClass[]): Refused {
  const detail = `This body holds the data classes ${classes.join(', ')}, which this API key does not.`
  const fix = 'Use a key with these data classes, or leave endpoint_id out to see what this one may.'
  return refused('insufficient_scope', detail, fix)
}

function bytesAnswer(body: Uint8Array, contentType: string): Answer {
  const sha256 = hexView(createHash('sha256').update(body).digest())
  const headers = { 'content-type': contentType, 'runbell-body-sha256': sha256 }
  return { status: 200, headers, body: new Uint8Array(body) }
}

export const EVENT_ROUTES: readonly Route[] = [listEvents, getEvent, getEventBody]
