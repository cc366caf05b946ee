import { z } from '@hono/zod-openapi'
import type { ReplayAccepted } from '@runbell/sdk/contract'
import { newId } from '../../core/new-id.ts'
import { auditOf, type Change } from '../access/audit.ts'
import { jsonAnswer, textAnswer, type Answer } from '../http/answer.ts'
import { notFound, payloadGone, refused } from '../http/problem.ts'
import { anyId, tenantQuerySchema } from '../read/filters.ts'
import { findDelivery, findEvent, scopeOf } from '../read/find.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import type { EventRow, ReplayResult } from '../../store/rows.ts'
import type { Store } from '../../store/store.ts'
import { bodyNow } from '../read/body-now.ts'
import { unseen } from '../read/cut-for-key.ts'
import { deadLetterView } from '../views/delivery-view.ts'
import { goneEventView } from '../views/event-view.ts'
import { deadLetterSchema, eventSchema, replayAcceptedSchema } from '../views/schemas.ts'

type Target = Parameters<Store['replayDeliveries']>[0]['target']
type Changed = Exclude<ReplayResult, 'stale'>

const accepted = { description: 'What has become of the deliveries', schema: replayAcceptedSchema }
const nothing = z.strictObject({})

/** Reopens deliveries and tells delivery about it. */
async function replay(
  call: Call<unknown, unknown>,
  eventPosition: number,
  target: Target,
  record: Change,
): Promise<ReplayResult> {
  const { context, principal, now } = call
  const newDeliveryId = newId('delivery', principal.mode, now, context.random)
  const audit = auditOf(call, record)
  const result = await context.store.replayDeliveries({ eventPosition, target, newDeliveryId, now, audit })
  if (Array.isArray(result)) context.wake({ endpointIds: new Set(result.map(({ endpointId }) => endpointId)) })
  return result
}

function answerReplay(result: Changed, missing: () => Error): Answer {
  if (result === null) throw missing()
  if (result === 'payload_gone') throw payloadGone()
  if (result === 'policy_changed') throw policyChanged()
  const deliveries = result.map(({ id, status }) => ({ id, status }))
  return jsonAnswer(202, { deliveries } satisfies ReplayAccepted)
}

function policyChanged(): Error {
  const detail = 'The endpoint was granted more data classes when this body was made than it is now.'
  const fix = 'Grant them again, or leave it: what was made then is not made anew with less.'
  return refused('policy_changed', detail, fix)
}

/** So often an endpoint may change while its body is being rendered. */
const MAX_TRIES = 5

/** Replays to one endpoint: its own delivery again, or a new one with a body made for it now (guarantee G5). */
async function replayTo(call: Call<unknown, unknown>, event: EventRow, endpointId: string): Promise<Changed> {
  const { context } = call
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { endpoints, configVersion } = await context.store.loadEndpoints({ endpointIds: [endpointId] })
    const [endpoint] = endpoints
    if (endpoint === undefined) return null
    const body = bodyNow(context, event, endpoint)
    const target = { kind: 'endpoint' as const, endpointId, body, configVersion }
    const result = await replay(call, event.position, target, ofEvent(event, { endpoint_id: endpointId }))
    if (result !== 'stale') return result
  }
  throw refused('unavailable', 'Endpoints are being changed without a pause.', 'Try again in a moment.')
}

function ofEvent({ eventId, tenantId }: EventRow, detail: Record<string, unknown> = {}): Change {
  return { action: 'event.replayed', target: eventId, tenantId, detail }
}

const eraseEvent = defineRoute({
  method: 'post',
  path: '/v1/events/{event_id}/erase',
  operationId: 'eraseEvent',
  summary: 'Erases the payload of an event for good and cancels what is pending; ids, times and outcomes stay',
  scopes: ['admin'],
  query: tenantQuerySchema,
  body: z.strictObject({}),
  bodyOptional: true,
  answers: { 200: { description: 'What is left of the event', schema: eventSchema } },
  problems: ['not_found', 'ambiguous_id'],
  async handle(call) {
    const { context, now } = call
    const { position, eventId, tenantId, payloadGone: gone } = await findEvent(call)
    if (gone?.by !== 'erasure') {
      const audit = auditOf(call, { action: 'event.erased', target: eventId, tenantId })
      const erased = await context.store.eraseEvent({ eventPosition: position, now, audit })
      if (erased !== null) context.wake({ endpointIds: erased.endpointIds })
    }
    return textAnswer(200, goneEventView(await findEvent(call)))
  },
})

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
  problems: ['not_found', 'ambiguous_id', 'state_conflict', 'policy_changed', 'payload_expired'],
  async handle(call) {
    const event = await findEvent(call)
    if (event.payloadGone !== null) throw payloadGone()
    const endpointId = call.body.endpoint_id
    if (endpointId === undefined) {
      const result = (await replay(call, event.position, { kind: 'all' }, ofEvent(event))) as Changed
      return answerReplay(result, notFound)
    }
    const endpoint = await call.context.store.findEndpoint({ scope: scopeOf(call), endpointId })
    if (endpoint === null) throw notFound()
    return answerReplay(await replayTo(call, event, endpointId), cannotReceive)
  },
})

function cannotReceive(): Error {
  return refused('state_conflict', 'This endpoint cannot receive the event now.', 'Enable the endpoint first.')
}

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
  problems: ['not_found', 'state_conflict', 'policy_changed', 'payload_expired'],
  async handle(call) {
    const { id: deliveryId, eventPosition, tenantId } = await findDelivery(call)
    const target = { kind: 'delivery' as const, deliveryId }
    const record = { action: 'delivery.replayed' as const, target: deliveryId, tenantId }
    const result = (await replay(call, eventPosition, target, record)) as Changed
    return answerReplay(result, cannotReceive)
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
    const { id, tenantId } = await findDelivery(call)
    const { context, now } = call
    const audit = auditOf(call, { action: 'delivery.cancelled', target: id, tenantId })
    const cancelled = await context.store.cancelDelivery({ scope: scopeOf(call), deliveryId: id, now, audit })
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
    const { id: deliveryId, tenantId } = await findDelivery(call)
    const { context, now, body } = call
    const note = body.note ?? null
    const audit = auditOf(call, { action: 'dead_letter.discarded', target: deliveryId, tenantId, detail: { note } })
    const discarded = await context.store.discardDeadLetter({ scope: scopeOf(call), deliveryId, note, now, audit })
    const delivery = discarded ?? (await findDelivery(call))
    if (delivery.status !== 'dead_lettered') {
      const detail = `This delivery is not a dead letter but ${delivery.status}.`
      throw refused('state_conflict', detail, 'Only dead letters can be discarded.')
    }
    return jsonAnswer(200, deadLetterView(delivery, unseen(call.principal, delivery.classes) === 0))
  },
})

export const DELIVERY_ACTION_ROUTES: readonly Route[] = [
  eraseEvent,
  replayEvent,
  replayDelivery,
  cancelDelivery,
  discardDeadLetter,
]
