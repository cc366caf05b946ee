import { z } from '@hono/zod-openapi'
import type { FilterCheck } from '@runbell/sdk/contract'
import type { EventRow } from '../../store/rows.ts'
import { checkFilter } from '../endpoints/endpoint-filter.ts'
import { filter as filterSchema } from '../endpoints/endpoint-input.ts'
import { explainEvent, tryFilter } from '../endpoints/try-filter.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound } from '../http/problem.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint, scopeOf, type Finding } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'
import { filterCheckSchema } from '../views/filter-schemas.ts'

const bodySchema = z.strictObject({
  filter: filterSchema.optional(),
  event_id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/, 'is the id of an event')
    .optional()
    .openapi({ description: 'An event of which it is said, condition by condition, why it passes or not.' }),
})

const checkEndpointFilter = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/filter/check',
  operationId: 'checkEndpointFilter',
  summary:
    'Tries a filter on the last 200 events of an endpoint’s types, before it is saved or as it is; changes nothing',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: bodySchema,
  bodyOptional: true,
  answers: { 200: { description: 'How many would have matched, and which', schema: filterCheckSchema } },
  problems: ['not_found', 'payload_expired', 'unavailable'],
  async handle(call) {
    const { context, body } = call
    const endpoint = await findEndpoint(call)
    const value = body.filter === undefined ? endpoint.filter : body.filter
    const { filter, warnings } = checkFilter(context.catalogs.of(endpoint.mode), endpoint.eventTypes, value)
    const event = body.event_id === undefined ? null : await eventOf(call, endpoint.tenantId, body.event_id)
    return jsonAnswer(200, {
      endpoint_id: endpoint.id,
      filter: value,
      warnings,
      ...(await tryFilter(call, endpoint, filter)),
      event: event === null ? null : await explainEvent(call, endpoint, filter, event),
    } satisfies FilterCheck)
  },
})

/** An event of the endpoint's tenant; of an endpoint of all tenants the newest, where two have used the id. */
async function eventOf(call: Finding, tenantId: string, eventId: string): Promise<EventRow> {
  const { mode } = scopeOf(call)
  const scope = { mode, tenantId: tenantId === '*' ? null : tenantId }
  const [event] = await call.context.store.findEvents({ scope, eventId })
  if (event === undefined) throw notFound()
  return event
}

export const FILTER_CHECK_ROUTES: readonly Route[] = [checkEndpointFilter]
