import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveriesOf,
  newType,
  post,
  publish,
  replay,
  request,
  untilDelivery,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

describe(
  'G5: Matching, grants, masking and version are decided at acceptance and frozen. A later endpoint gets earlier events ' +
    'only by explicit replay.',
  () => {
    const server = shareServer()

    test('an endpoint gets what comes after it, and what came before only by explicit replay', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const { event_id: before } = await publish(server, anEvent(type))
      const { id: endpointId } = await createEndpoint(server, receiver.url, type)
      const { event_id: after } = await publish(server, anEvent(type))
      await untilDelivery(server, after)
      expect(receiver.received.map(({ eventId }) => eventId)).toEqual([after])
      expect(await deliveriesOf(server, before)).toEqual([])

      await replay(server, before)
      expect(await deliveriesOf(server, before)).toEqual([])
      await replay(server, before, endpointId)
      await untilDelivery(server, before)
      expect(receiver.received.map(({ eventId }) => eventId)).toEqual([after, before])
    })

    test('a subscription that is narrowed afterwards still gets what it matched', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const { id } = await createEndpoint(server, receiver.url, type)
      await post(server, `/v1/endpoints/${id}/pause`)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await request(server, 'PATCH', `/v1/endpoints/${id}`, { body: { event_types: [newType()] } })
      expect(await publish(server, anEvent(type))).toMatchObject({ deliveries: 0 })

      await post(server, `/v1/endpoints/${id}/resume`)
      expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered' })
      expect(receiver.received.map((received) => received.eventId)).toEqual([eventId])
    })

    test('a subscription that is widened afterwards does not get what it had not matched', async () => {
      const receiver = await server.receiver(() => 204)
      const [type, other] = [newType(), newType()]
      const { id } = await createEndpoint(server, receiver.url, type)
      const { event_id: missed } = await publish(server, anEvent(other))
      await request(server, 'PATCH', `/v1/endpoints/${id}`, { body: { event_types: [type, other] } })
      const { event_id: matched } = await publish(server, anEvent(other))
      await untilDelivery(server, matched)
      expect(await deliveriesOf(server, missed)).toEqual([])
      expect(receiver.received.map(({ eventId }) => eventId)).toEqual([matched])
    })

    test('a change holds for the first event after its answer, however many are on their way', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const stop = new AbortController()
      const crowd = Array.from({ length: 4 }, async () => {
        while (!stop.signal.aborted) await publish(server, anEvent(type))
      })
      for (let round = 0; round < 10; round++) {
        const { id } = await createEndpoint(server, receiver.url, type)
        expect(await publish(server, anEvent(type))).toMatchObject({ deliveries: 1 })
        await request(server, 'DELETE', `/v1/endpoints/${id}`)
        expect(await publish(server, anEvent(type))).toMatchObject({ deliveries: 0 })
      }
      stop.abort()
      await Promise.all(crowd)
    })
  },
)
