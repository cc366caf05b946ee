import type { EventView, Page, Problem } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveriesOf,
  eventOf,
  get,
  newType,
  publish,
  replay,
  request,
  untilDelivery,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

describe('G4: An event that matches no endpoint is stored, listed and replayable.', () => {
  const server = shareServer()

  test('it is stored with its bytes, and listed', async () => {
    const type = newType()
    const data = '{"kept": [1.0, 2]}'
    const published = await publish(server, `{"type":"${type}","agent":{"id":"a"},"data":${data}}`)
    expect(published).toMatchObject({ deliveries: 0, duplicate: false })

    const { event_id: eventId } = published
    expect(await eventOf(server, eventId)).toMatchObject({ type, data: { kept: [1, 2] }, deliveries: { total: 0 } })
    const { bytes } = await request(server, 'GET', `/v1/events/${eventId}/body`)
    expect(bytes.toString()).toContain(data)
    const { data: listed } = await get<Page<EventView>>(server, `/v1/events?type=${type}`)
    expect(listed.map(({ event_id }) => event_id)).toEqual([eventId])
    expect(await deliveriesOf(server, eventId)).toEqual([])
  })

  test('it is replayable to an endpoint that was made later', async () => {
    const receiver = await server.receiver(() => 204)
    const type = newType()
    const { event_id: eventId } = await publish(server, anEvent(type))
    const { id: endpointId } = await createEndpoint(server, receiver.url, type)

    const { deliveries } = await replay(server, eventId, endpointId)
    expect(deliveries).toEqual([{ id: expect.stringMatching(/^dlv_/), status: 'pending' }])
    const delivery = await untilDelivery(server, eventId)
    expect(delivery).toMatchObject({ id: deliveries[0]?.id, endpoint_id: endpointId, status: 'delivered' })
    expect(await attemptsOf(server, delivery.id)).toMatchObject([
      { number: 1, trigger: 'manual', outcome: 'delivered' },
    ])
    const { bytes } = await request(server, 'GET', `/v1/events/${eventId}/body`)
    expect(receiver.received.map(({ eventId: id, body }) => [id, body.equals(bytes)])).toEqual([[eventId, true]])
  })

  test('replayed to all its endpoints, it has none', async () => {
    const { event_id: eventId } = await publish(server, anEvent(newType()))
    expect(await replay(server, eventId)).toEqual({ deliveries: [] })
  })

  test('it does not go to an endpoint of another tenant, not even by replay', async () => {
    const type = newType()
    const { event_id: eventId } = await publish(server, anEvent(type))
    const receiver = await server.receiver(() => 204)
    const { id } = await createEndpoint(server, receiver.url, type, { tenant_id: 'g4-other' })
    const body = { endpoint_id: id }
    const answer = await request<Problem>(server, 'POST', `/v1/events/${eventId}/replay`, { body })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(await deliveriesOf(server, eventId)).toEqual([])
  })
})
