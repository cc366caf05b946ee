import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveriesOf,
  newType,
  publish,
  replay,
  request,
  untilDelivery,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

describe('Filters: an event that does not match makes no delivery, and a changed filter holds from the next event on', () => {
  const server = shareServer()
  const withPlan = (type: string, plan: string) => anEvent(type, { metadata: { plan } })

  test('what does not match is stored, makes no delivery, and goes out only where it is replayed by hand', async () => {
    const receiver = await server.receiver(() => 204)
    const type = newType()
    const { id } = await createEndpoint(server, receiver.url, type, { filter: { '/metadata/plan': ['pro', 'team'] } })
    const free = await publish(server, withPlan(type, 'free'))
    const pro = await publish(server, withPlan(type, 'pro'))
    expect([free.deliveries, pro.deliveries]).toEqual([0, 1])
    await untilDelivery(server, pro.event_id)
    expect(await deliveriesOf(server, free.event_id)).toEqual([])
    expect(receiver.received.map(({ eventId }) => eventId)).toEqual([pro.event_id])
    await replay(server, free.event_id, id)
    await untilDelivery(server, free.event_id)
    expect(receiver.received.map(({ eventId }) => eventId)).toEqual([pro.event_id, free.event_id])
  })

  test('a changed filter holds for the first event after its answer, however many are on their way', async () => {
    const receiver = await server.receiver(() => 204)
    const type = newType()
    const { id } = await createEndpoint(server, receiver.url, type, { filter: { '/metadata/plan': 'pro' } })
    const stop = new AbortController()
    // They are matched with the old filter, found to be stale in the transaction, and matched again.
    const crowd = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await publish(server, withPlan(type, 'crowd'))
    })
    try {
      for (let round = 0; round < 10; round++) {
        const plan = `p${round}`
        await request(server, 'PATCH', `/v1/endpoints/${id}`, { body: { filter: { '/metadata/plan': plan } } })
        expect(await publish(server, withPlan(type, plan))).toMatchObject({ deliveries: 1 })
        expect(await publish(server, withPlan(type, `p${round - 1}`))).toMatchObject({ deliveries: 0 })
      }
    } finally {
      stop.abort()
      await Promise.all(crowd)
    }
    expect(receiver.received.every(({ body }) => !String(body).includes('crowd'))).toBe(true)
  })
})
