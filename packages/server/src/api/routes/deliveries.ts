import { z } from '@hono/zod-openapi'
import { jsonAnswer, type Answer } from '../http/answer.ts'
import { invalid, notFound } from '../http/problem.ts'
import {
  deadLetterQuerySchema,
  deliveryQuerySchema,
  pageQuerySchema,
  tenantQuerySchema,
  toDeliveryFilter,
} from '../read/filters.ts'
import { groupDeadLetters } from '../read/dead-letter-groups.ts'
import { unseen } from '../read/cut-for-key.ts'
import { findDelivery, findEvent, idIn, scopeOf, type Finding } from '../read/find.ts'
import { fillPage, pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import type { DeliveryFilter, DeliveryRow, ReadScope } from '../../store/rows.ts'
import { attemptView } from '../views/attempt-view.ts'
import { deadLetterView, deliveryView, scheduleView } from '../views/delivery-view.ts'
import {
  attemptSchema,
  deadLetterGroupSchema,
  deadLetterSchema,
  deliveryDetailSchema,
  deliverySchema,
  pageOf,
} from '../views/schemas.ts'

interface Listing {
  route: string
  scope: ReadScope
  filter: DeliveryFilter
  render(row: DeliveryRow, whole: boolean): unknown
}

type Paging = Finding & { query: { limit: number; cursor?: string | undefined } }

async function listBy(call: Paging, { route, scope, filter, render }: Listing): Promise<Answer> {
  const list = { route, filter: [scope, filter] }
  const asked = pageRequest(call.cursors, list, call.query)
  const { store, clock } = call.context
  const rows = await fillPage(clock, asked, (page) => store.listDeliveries({ scope, filter, page }))
  return pageAnswer(call.cursors, list, rows, (row) => JSON.stringify(render(row, isWhole(call, row))))
}

/** Whether the key may see all that the delivery's body holds. */
function isWhole({ principal }: Pick<Finding, 'principal'>, { classes }: DeliveryRow): boolean {
  return unseen(principal, classes) === 0
}

const listDeliveries = defineRoute({
  method: 'get',
  path: '/v1/deliveries',
  operationId: 'listDeliveries',
  summary: 'Lists deliveries, newest first',
  scopes: ['read'],
  query: deliveryQuerySchema,
  answers: { 200: { description: 'A page of deliveries', schema: pageOf(deliverySchema) } },
  problems: ['cursor_invalid'],
  handle: (call) =>
    listBy(call, {
      route: 'deliveries',
      scope: scopeOf(call),
      filter: toDeliveryFilter(call.query),
      render: deliveryView,
    }),
})

const listDeliveriesOfEvent = defineRoute({
  method: 'get',
  path: '/v1/events/{event_id}/deliveries',
  operationId: 'listEventDeliveries',
  summary: 'Lists the deliveries of one event, newest first',
  scopes: ['read'],
  query: pageQuerySchema,
  answers: { 200: { description: 'A page of deliveries', schema: pageOf(deliverySchema) } },
  problems: ['not_found', 'ambiguous_id', 'cursor_invalid'],
  async handle(call) {
    const event = await findEvent(call)
    const none = { type: [], run_id: undefined, since: undefined, until: undefined }
    const filter = { ...toDeliveryFilter({ ...call.query, ...none }), eventPosition: event.position }
    return await listBy(call, { route: 'event-deliveries', scope: scopeOf(call), filter, render: deliveryView })
  },
})

const getDelivery = defineRoute({
  method: 'get',
  path: '/v1/deliveries/{delivery_id}',
  operationId: 'getDelivery',
  summary: 'Shows a delivery with its retry schedule',
  scopes: ['read'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The delivery', schema: deliveryDetailSchema } },
  problems: ['not_found'],
  async handle(call) {
    const delivery = await findDelivery(call)
    const { endpoints } = await call.context.store.loadEndpoints({ endpointIds: [delivery.endpointId] })
    const schedule = endpoints[0] === undefined ? null : scheduleView(endpoints[0].retrySchedule)
    return jsonAnswer(200, { ...deliveryView(delivery, isWhole(call, delivery)), schedule })
  },
})

const listAttempts = defineRoute({
  method: 'get',
  path: '/v1/deliveries/{delivery_id}/attempts',
  operationId: 'listAttempts',
  summary: 'Lists all attempts of a delivery, oldest first, each with a diagnosis in words',
  scopes: ['read'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The attempts', schema: pageOf(attemptSchema) } },
  problems: ['not_found'],
  async handle(call) {
    const deliveryId = idIn(call, 'delivery_id')
    const found = await call.context.store.listAttempts({ scope: scopeOf(call), deliveryId })
    if (found === null) throw notFound()
    // A delivery has few attempts, so they are one page.
    const whole = isWhole(call, found.delivery)
    const data = found.attempts.map((row) => attemptView(found.delivery, row, whole))
    return jsonAnswer(200, { data, next_cursor: null })
  },
})

const listDeadLetters = defineRoute({
  method: 'get',
  path: '/v1/dead-letters',
  operationId: 'listDeadLetters',
  summary: 'Lists deliveries whose retries are used up and that nobody has discarded, newest first, or groups of them',
  scopes: ['read'],
  query: deadLetterQuerySchema,
  answers: {
    200: {
      description: 'A page of dead letters, or with `group_by` the largest groups',
      schema: pageOf(z.union([deadLetterSchema, deadLetterGroupSchema])),
    },
  },
  problems: ['cursor_invalid'],
  async handle(call) {
    const { group_by: by, limit, ...query } = call.query
    const scope = scopeOf(call)
    const filter = toDeliveryFilter(query)
    if (by === undefined) {
      const listed = { ...filter, deadLetters: true }
      return await listBy(call, { route: 'dead-letters', scope, filter: listed, render: deadLetterView })
    }
    if (query.cursor !== undefined) {
      throw invalid([{ path: '/query/cursor', message: 'groups come in one page' }], 'Leave cursor out.')
    }
    const ended = { ...filter, statuses: ['dead_lettered' as const], changedUntil: null }
    const data = await groupDeadLetters(call.context.store, scope, ended, { by, limit })
    return jsonAnswer(200, { data, next_cursor: null })
  },
})

export const DELIVERY_ROUTES: readonly Route[] = [
  listDeliveriesOfEvent,
  listDeliveries,
  getDelivery,
  listAttempts,
  listDeadLetters,
]
