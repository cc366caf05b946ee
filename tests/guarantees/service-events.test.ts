import type { EventView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  eventOf,
  get,
  newType,
  post,
  publish,
  request,
  untilDelivery,
} from '../support/client.ts'
import type { Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'

describe('Service events: what happens to endpoints and deliveries is told to endpoints that name it, once', () => {
  const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '50ms' })

  const told = ({ received }: Receiver) => received.map(({ body }) => JSON.parse(body.toString()) as EventView)

  test('a dead letter and a disabled endpoint are told of, over a crash, and no dead letter of such an event', async () => {
    const monitor = await server.receiver(() => 204)
    const types = ['runbell.delivery.dead_lettered', 'runbell.endpoint.disabled']
    await createEndpoint(server, monitor.url, 'runbell.*', { event_types: types })
    const deaf = await server.receiver(() => 503)
    const type = newType()
    const { id } = await createEndpoint(server, deaf.url, type)
    // What it names itself cannot be delivered to it either: that is told to nobody.
    await createEndpoint(server, deaf.url, 'runbell.delivery.dead_lettered')
    const { event_id: eventId } = await publish(server, anEvent(type))
    const dead = await untilDelivery(server, eventId)
    expect(dead.status).toBe('dead_lettered')
    await server.crash()
    await monitor.until((received) => received.length >= 1)
    const [first] = told(monitor)
    expect(first).toMatchObject({
      ...{
        type: 'runbell.delivery.dead_lettered',
        tenant_id: 'default',
        agent: { id: 'runbell' },
        causation_id: eventId,
      },
      data: {
        ...{ delivery_id: dead.id, endpoint_id: id, event_id: eventId, event_type: type, status: 'dead_lettered' },
        ...{ reason: 'attempts_exhausted', attempt_count: 2, last_outcome: 'http_error' },
      },
    })
    const isOver = async () => (await eventOf(server, first?.event_id ?? '')).deliveries.dead_lettered === 1
    await expect.poll(isOver, { timeout: 15_000 }).toBe(true)
    await post(server, `/v1/endpoints/${id}/disable`)
    await monitor.until((received) => received.some(({ body }) => body.includes('"runbell.endpoint.disabled"')))
    const ids = new Set(told(monitor).map((event) => `${event.type} ${event.event_id}`))
    expect([...ids].map((text) => text.split(' ')[0])).toEqual(types)
    expect(told(monitor).at(-1)?.data).toMatchObject({ endpoint_id: id, status: 'disabled' })
    const { data } = await get<Page<EventView>>(server, '/v1/events?type=runbell.*')
    expect(data).toHaveLength(2)
  })

  test('nobody else hears of it, no producer can say it, and where nobody names it nothing is made', async () => {
    const other = await server.receiver(() => 204)
    await createEndpoint(server, other.url, '*', { tenant_id: 'other', event_types: ['*', 'runbell.*'] })
    const everything = await server.receiver(() => 204)
    await createEndpoint(server, everything.url, '*', { tenant_id: 'quiet' })
    const deaf = await server.receiver(() => 410)
    const type = newType()
    await createEndpoint(server, deaf.url, type, { tenant_id: 'quiet' })
    const { event_id: eventId } = await publish(server, anEvent(type, { tenant_id: 'quiet' }))
    await deaf.until((received) => received.length === 1)
    await everything.until((received) => received.length === 1)
    const forged = { type: 'runbell.endpoint.disabled', agent: { id: 'runbell' }, data: {} }
    expect((await request(server, 'POST', '/v1/events', { body: forged })).status).toBe(422)
    // Two rounds of the service that would tell: another tenant's dead letter is told meanwhile.
    const monitored = await createEndpoint(server, deaf.url, type, { tenant_id: 'other' })
    await publish(server, anEvent(type, { tenant_id: 'other' }))
    await other.until((received) => received.filter(({ body }) => body.includes('"runbell.')).length === 2)
    const service = told(other).filter((event) => event.type.startsWith('runbell.'))
    expect(service.map((event) => event.tenant_id)).toEqual(['other', 'other'])
    for (const event of service) expect(event.data).toMatchObject({ endpoint_id: monitored.id, reason: 'gone' })
    expect(told(everything).map((event) => event.event_id)).toEqual([eventId])
    const { data } = await get<Page<EventView>>(server, '/v1/events?type=runbell.*&tenant_id=quiet')
    expect(data).toEqual([])
  })
})
