import { describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  eventOf,
  newEventId,
  newType,
  publish,
  replay,
  untilDelivery,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

describe(
  'G7: At least once, never "exactly once". Duplicates happen only when the answer did not reach us, we crashed after ' +
    'the first byte, a stalled worker lost its lease, or someone replayed. All carry the same `webhook-id`.',
  () => {
    const server = shareServer()

    test('where every answer arrives, every event arrives once', async () => {
      const receivers = [await server.receiver(() => 204), await server.receiver(() => 204)]
      const type = newType()
      for (const { url } of receivers) await createEndpoint(server, url, type)
      const published = await Promise.all(Array.from({ length: 100 }, () => publish(server, anEvent(type))))
      const ids = published.map(({ event_id }) => event_id).sort()
      for (const id of ids) {
        await until(
          'both deliveries have ended',
          () => eventOf(server, id),
          (event) => event.deliveries.delivered === 2,
        )
      }
      for (const { received } of receivers) expect(received.map(({ eventId }) => eventId).sort()).toEqual(ids)
    })

    test('where the receiver took it and its answer is lost, it comes again under the same webhook-id', async () => {
      const receiver = await server.receiver((index) => (index === 0 ? 'reset' : 204))
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const { event_id: eventId } = await publish(server, anEvent(type))
      const { id } = await untilDelivery(server, eventId)
      const attempts = await attemptsOf(server, id)
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['protocol_error', 'delivered'])
      expect(receiver.received.map((request) => request.headers['webhook-id'])).toEqual([eventId, eventId])
    })

    test('where we crash after the first byte, it comes again under the same webhook-id, and what ended does not', async () => {
      const type = newType()
      const receiver = await server.receiver((_index, { eventId }) => (eventId === cut && !crashed ? null : 204))
      const cut = newEventId('cut')
      let crashed = false
      await createEndpoint(server, receiver.url, type)
      const { event_id: ended } = await publish(server, anEvent(type))
      await untilDelivery(server, ended)
      await publish(server, anEvent(type, { event_id: cut }))
      await receiver.until((received) => received.length === 2)
      crashed = true
      await server.crash()

      const { id, status } = await untilDelivery(server, cut)
      expect(status).toBe('delivered')
      // What would come again with it would have come before an event that is accepted only now.
      const { event_id: marker } = await publish(server, anEvent(type))
      await untilDelivery(server, marker)
      expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([ended, cut, cut, marker])
      const [, first, second] = receiver.received.map(({ headers }) => headers)
      expect([first?.['runbell-delivery-id'], second?.['runbell-delivery-id']]).toEqual([id, id])
      expect([first?.['runbell-attempt'], second?.['runbell-attempt']]).toEqual(['1', '2'])
    })

    test('where somebody replays, it comes again under the same webhook-id', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await untilDelivery(server, eventId)
      await replay(server, eventId)
      await receiver.until((received) => received.length === 2)
      expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([eventId, eventId])
    })
  },
)
