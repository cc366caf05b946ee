import { z } from '@hono/zod-openapi'
import type { ReplayAccepted } from '@runbell/sdk/contract'
import { newId } from '../../core/new-id.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { anyId, tenantQuerySchema } from '../read/filters.ts'
import { findDelivery, findEvent, scopeOf } from '../read/find.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import type { Store } from '../../store/store.ts'
import { deadLetterView } from '../views/delivery-view.ts'
import { deadLetterSchema, replayAcceptedSchema } from '../views/schemas.ts'

type Target = Parameters<Store['replayDeliveries']>[0]['target']

const accepted = { description: 'What has become of the deliveries', schema: replayAcceptedSchema }
const nothing = z.strictObject({})

/** Reopens deliveries and tells delivery about it; `null` as of the store. */
async function replay(
  call: Call<unknown, unknown>,
  eventPosition: number,
  target: Target,
): Promise<ReplayAccepted | null> {
  const { context, principal, now } = call
  const newDeliveryId = newId('delivery', principal.mode, now, context.random)
  const reopened = await context.store.replayDeliveries({ eventPosition, target, newDeliveryId, now })
  if (reopened === null) return null
  context.wake({ endpointIds: new Set(reopened.map(({ endpointId }) => endpointId)) })
  return { deliveries: reopened.map(({ id, status }) => ({ id, status })) }
}

const replayEvent = defineRoute({
  method: 'post',
  path: '/v1/events/{event_id}/replay',
  operationId: 'replayEvent',
  summary: 'Sends an event again, to all its endpoints or to one, also one created later',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: z.strictObject({ endpoint_id: anyId.optional() }),
  bodyOptional: true,
  answers: { 202: accepted },
  problems: ['not_found', 'ambiguous_id', 'state_conflict'],
  async handle(call) {
    const event = await findEvent(call)
    const endpointId = call.body.endpoint_id
    if (endpointId === undefined) {
      return jsonAnswer(202, (await replay(call, event.position, { kind: 'all' })) ?? { deliveries: [] })
    }
    const result = await replay(call, event.position, { kind: 'endpoint', endpointId })
    if (result !== null) return jsonAnswer(202, result)
    const endpoint = await call.context.store.findEndpoint({ scope: scopeOf(call), endpointId })
    if (endpoint === null) throw notFound()
    throw refused('state_conflict', 'This endpoint cannot receive the event now.', 'Enable the endpoint first.')
  },
})

const replayDelivery = defineRoute({
  method: 'post',
  path: '/v1/deliveries/{delivery_id}/replay',
  operationId: 'replayDelivery',
  summary: 'Sends the same bytes of a delivery again, with a fresh schedule',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: nothing,
  bodyOptional: true,
  answers: { 202: accepted },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { id: deliveryId, eventPosition } = await findDelivery(call)
    const result = await replay(call, eventPosition, { kind: 'delivery', deliveryId })
    if (result !== null) return jsonAnswer(202, result)
    throw refused(
      'state_conflict',
      'The endpoint of this delivery cannot receive it now.',
      'Enable the endpoint first.',
    )
  },
})

const cancelDelivery = defineRoute({
  method: 'post',
  path: '/v1/deliveries/{delivery_id}/cancel',
  operationId: 'cancelDelivery',
  summary: 'Ends a pending delivery; an attempt in flight is not cut off',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: nothing,
  bodyOptional: true,
  answers: { 202: accepted },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { id } = await findDelivery(call)
    const { context, now } = call
    const cancelled = await context.store.cancelDelivery({ scope: scopeOf(call), deliveryId: id, now })
    const delivery = cancelled ?? (await findDelivery(call))
    if (delivery.status !== 'cancelled') {
      const detail = `This delivery is not pending but ${delivery.status}.`
      throw refused('state_conflict', detail, 'Only pending deliveries can be cancelled.')
    }
    if (cancelled !== null) context.wake({ endpointIds: [delivery.endpointId] })
    return jsonAnswer(202, { deliveries: [{ id, status: delivery.status }] } satisfies ReplayAccepted)
  },
})

const discardDeadLetter = defineRoute({
  method: 'post',
  path: '/v1/dead-letters/{delivery_id}/discard',
  operationId: 'discardDeadLetter',
  summary: 'Takes a dead letter off the list; it can still be replayed',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: z.strictObject({ note: z.string().max(1000).optional() }),
  bodyOptional: true,
  answers: { 200: { description: 'The dead letter', schema: deadLetterSchema } },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { id: deliveryId } = await findDelivery(call)
    const { context, now, body } = call
    const note = body.note ?? null
    const discarded = await context.store.discardDeadLetter({ scope: scopeOf(call), deliveryId, note, now })
    const delivery = discarded ?? (await findDelivery(call))
    if (delivery.status !== 'dead_lettered') {
      const detail = `This delivery is not a dead letter but ${delivery.status}.`
      throw refused('state_conflict', detail, 'Only dead letters can be discarded.')
    }
    return jsonAnswer(200, deadLetterView(delivery))
  },
})

export const DELIVERY_ACTION_ROUTES: readonly Route[] = [replayEvent, replayDelivery, cancelDelivery, discardDeadLetter]
