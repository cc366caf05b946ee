import type { DeliveryView, EventView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveryOf,
  eventOf,
  get,
  newType,
  post,
  publish,
  request,
  untilDelivery,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

type WithRetention = EventView & { payload_expired_at?: string }

describe(
  'G20: Retention never removes what is still pending; replay works while the payload is kept, then answers 410. Defaults ' +
    'bound every table.',
  () => {
    const server = shareServer({
      RUNBELL_RETRY_SCHEDULE: '60s',
      RUNBELL_RETENTION_BODIES: '1s',
      RUNBELL_RETENTION_EVENTS: 'live=4s,test=30d',
      RUNBELL_RETENTION_IDEMPOTENCY: 'live=4s',
    })

    const untilPayloadGone = (eventId: string) =>
      until(
        'the payload is gone',
        () => eventOf(server, eventId) as Promise<WithRetention>,
        (event) => event.payload_expired_at !== undefined,
      )
    const untilGone = (eventId: string) =>
      until(
        'the event is gone',
        () => request(server, 'GET', `/v1/events/${eventId}`),
        ({ status }) => status === 404,
      )

    test.concurrent('first the payload goes, then the event with everything about it', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const event = anEvent(type, { event_id: 'evt_g20first' })
      const { event_id: eventId } = await publish(server, event)
      await untilDelivery(server, eventId)
      const { id } = await deliveryOf(server, eventId)
      expect((await request(server, 'POST', `/v1/events/${eventId}/replay`)).status).toBe(202)
      expect(await untilPayloadGone(eventId)).toMatchObject({ data: null, type, deliveries: { delivered: 1 } })
      for (const [method, path] of [
        ['GET', `/v1/events/${eventId}/body`],
        ['POST', `/v1/events/${eventId}/replay`],
        ['POST', `/v1/deliveries/${id}/replay`],
      ] as const) {
        const { status, json } = await request<{ code: string }>(server, method, path)
        expect([path, status, json.code]).toEqual([path, 410, 'payload_expired'])
      }
      expect(await publish(server, event)).toMatchObject({ event_id: eventId, duplicate: true })
      await untilGone(eventId)
      expect((await request(server, 'GET', `/v1/deliveries/${id}`)).status).toBe(404)
      const { data } = await get<Page<DeliveryView>>(server, `/v1/deliveries?type=${type}`)
      expect(data).toEqual([])
    })

    test.concurrent('what is pending stays whole, and goes once it has ended', async () => {
      let status = 500
      const receiver = await server.receiver(() => status)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 1)
      const later = await publish(server, anEvent(newType()))
      await untilGone(later.event_id)
      const event = (await eventOf(server, eventId)) as WithRetention
      expect(event).toMatchObject({ deliveries: { pending: 1 } })
      expect(event.payload_expired_at).toBeUndefined()
      status = 204
      await post(server, `/v1/deliveries/${(await deliveryOf(server, eventId)).id}/cancel`)
      expect((await request(server, 'POST', `/v1/events/${eventId}/replay`)).status).toBe(202)
      await receiver.until((received) => received.length === 2)
      expect(receiver.received[1]?.body).toEqual(receiver.received[0]?.body)
    })

    test.concurrent('what a paused endpoint holds ends expired, held_past_retention', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const { id } = await createEndpoint(server, receiver.url, type)
      await post(server, `/v1/endpoints/${id}/pause`)
      const { event_id: eventId } = await publish(server, anEvent(type))
      expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'expired', reason: 'held_past_retention' })
      await untilGone(eventId)
      expect(receiver.received).toEqual([])
    })
  },
)
