import type { Accepted, BatchAccepted, EventView, Page, Problem } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveriesOf,
  eventOf,
  get,
  newEventId,
  newType,
  post,
  publish,
  request,
} from '../support/client.ts'
import { TEST_ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const AT_ONCE = 50

describe(
  'G3: Same id and same bytes: the first answer again with `duplicate: true`. Same id, other bytes: `409 ' +
    'event_conflict`. Ids and keys are scoped to (tenant, mode). Fifty at once: one event.',
  () => {
    const server = shareServer()

    const send = (body: unknown, headers: Record<string, string> = {}) =>
      request<Accepted & Problem>(server, 'POST', '/v1/events', { body, headers })
    const eventsOf = async (type: string) => (await get<Page<EventView>>(server, `/v1/events?type=${type}`)).data

    test('the same bytes again get the first answer, also after the run went on and endpoints came and went', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const endpoint = await createEndpoint(server, receiver.url, type)
      const body = JSON.stringify(anEvent(type, { event_id: newEventId(), run_id: 'run-of-g3' }))
      const first = await publish(server, body)
      expect(first).toMatchObject({ sequence: 1, duplicate: false, deliveries: 1 })

      await publish(server, anEvent(type, { run_id: 'run-of-g3' }))
      await createEndpoint(server, receiver.url, type)
      await request(server, 'DELETE', `/v1/endpoints/${endpoint.id}`)
      expect(await publish(server, body)).toEqual({ ...first, duplicate: true })
      expect(await eventsOf(type)).toHaveLength(2)
    })

    test('white space around the value is no part of it', async () => {
      const body = JSON.stringify(anEvent(newType(), { event_id: newEventId() }))
      const first = await publish(server, body)
      expect(await publish(server, `\r\n\t ${body} \n`)).toEqual({ ...first, duplicate: true })
    })

    test.each<[string, (text: string) => string]>([
      ['one space more', (text) => text.replace('"n":1', '"n": 1')],
      ['another way to write the same number', (text) => text.replace('"n":1', '"n":1.0')],
      ['another way to write the same text', (text) => text.replace('"guarantees"', '"\\u0067uarantees"')],
      ['its fields in another order', (text) => text.replace(/^\{("type":"[^"]*"),(.*)\}$/, '{$2,$1}')],
    ])('%s is 409 event_conflict', async (_name, change) => {
      const eventId = newEventId()
      const body = JSON.stringify(anEvent(newType(), { event_id: eventId }))
      expect(change(body)).not.toBe(body)
      await publish(server, body)
      const answer = await send(change(body))
      expect(answer).toMatchObject({ status: 409, json: { code: 'event_conflict', errors: [{ path: '/event_id' }] } })
      expect(await publish(server, body)).toMatchObject({ event_id: eventId, duplicate: true })
    })

    test('an Idempotency-Key does the same for an event without an id', async () => {
      const type = newType()
      const body = JSON.stringify(anEvent(type))
      const headers = { 'idempotency-key': 'g3-key' }
      const first = await publish(server, body, { headers })
      expect(await publish(server, body, { headers })).toEqual({ ...first, duplicate: true })
      expect(await send(`${body.slice(0, -1)} }`, headers)).toMatchObject({
        status: 409,
        json: { code: 'event_conflict' },
      })
      expect(await publish(server, body, { headers: { 'idempotency-key': 'g3-other' } })).toMatchObject({
        duplicate: false,
      })
      expect(await eventsOf(type)).toHaveLength(2)
    })

    test('an event_id goes before the Idempotency-Key', async () => {
      const type = newType()
      const headers = { 'idempotency-key': 'g3-one-key' }
      await publish(server, anEvent(type, { event_id: newEventId() }), { headers })
      await publish(server, anEvent(type, { event_id: newEventId() }), { headers })
      expect(await eventsOf(type)).toHaveLength(2)
    })

    test('each item of a batch is compared by its own bytes, wherever it was published before', async () => {
      const type = newType()
      const alone = JSON.stringify(anEvent(type, { event_id: newEventId() }))
      const keyed = JSON.stringify(anEvent(type, { idempotency_key: 'g3-item' }))
      await publish(server, alone)
      const statuses = async (body: string) =>
        (await post<BatchAccepted>(server, '/v1/events/batch', body)).results.map(({ status }) => status)
      expect(await statuses(`[ ${alone} , ${keyed},\n${keyed},${alone.replace('"n":1', '"n":2')}]`)).toEqual([
        'duplicate',
        'accepted',
        'duplicate',
        'rejected',
      ])
      expect(await statuses(`[${keyed}]`)).toEqual(['duplicate'])
      expect(await eventsOf(type)).toHaveLength(2)
    })

    test('ids are scoped by tenant', async () => {
      const eventId = newEventId()
      const event = anEvent(newType(), { event_id: eventId })
      const tenants = ['g3-a', 'g3-b']
      for (const [index, tenant] of tenants.entries()) {
        const answer = await publish(server, { ...event, tenant_id: tenant, data: { index } })
        expect(answer).toMatchObject({ event_id: eventId, duplicate: false })
      }
      for (const [index, tenant] of tenants.entries()) {
        expect((await eventOf(server, `${eventId}?tenant_id=${tenant}`)).data).toEqual({ index })
      }
      const both = await request<Problem>(server, 'GET', `/v1/events/${eventId}`)
      expect(both).toMatchObject({ status: 409, json: { code: 'ambiguous_id' } })
    })

    test('keys are scoped by tenant and by mode', async () => {
      const type = newType()
      const headers = { 'idempotency-key': 'g3-scoped' }
      const answers = [
        await publish(server, anEvent(type, { data: { where: 'live' } }), { headers }),
        await publish(server, anEvent(type, { data: { where: 'tenant' }, tenant_id: 'g3-c' }), { headers }),
        await publish(server, anEvent(type, { data: { where: 'test' } }), { headers, key: TEST_ADMIN_KEY }),
      ]
      expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, false, false])
      expect(new Set(answers.map(({ event_id }) => event_id)).size).toBe(3)
      expect(answers[2]?.event_id).toMatch(/^evt_test_/)
    })

    const [byId, byKey] = [newType(), newType()]
    test.each<[string, (n: number) => { body: unknown; headers?: Record<string, string> }, string]>([
      ['event_id', () => ({ body: anEvent(byId, { event_id: 'evt_fifty-at-once' }) }), byId],
      ['Idempotency-Key', () => ({ body: anEvent(byKey), headers: { 'idempotency-key': 'fifty' } }), byKey],
    ])(
      `${AT_ONCE} at once with the same %s: one event, and one delivery for each endpoint`,
      async (_name, make, type) => {
        const receivers = [await server.receiver(() => 204), await server.receiver(() => 204)]
        for (const { url } of receivers) await createEndpoint(server, url, type)
        const answers = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, n) => {
            const { body, headers } = make(n)
            return send(body, headers)
          }),
        )
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
        expect(new Set(answers.map(({ json }) => json.event_id)).size).toBe(1)
        expect(answers.filter(({ json }) => !json.duplicate)).toHaveLength(1)
        expect(new Set(answers.map(({ json }) => json.deliveries))).toEqual(new Set([2]))

        const events = await eventsOf(type)
        expect(events).toHaveLength(1)
        expect(await deliveriesOf(server, events[0]?.event_id ?? '')).toHaveLength(2)
        // A marker sent afterwards to the same endpoints: what would arrive besides it would be on its way before.
        await publish(server, anEvent(type, { event_id: newEventId('marker') }))
        for (const { received, until } of receivers) {
          await until(() => received.some(({ eventId }) => eventId.startsWith('evt_marker')))
          expect(received).toHaveLength(2)
        }
      },
    )

    test(`of ${AT_ONCE} at once with the same id and different bytes one wins, and the others are conflicts`, async () => {
      const type = newType()
      const eventId = newEventId()
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, n) => send(anEvent(type, { event_id: eventId, data: { n } }))),
      )
      const winners = answers.flatMap(({ status }, n) => (status === 202 ? [n] : []))
      expect(winners).toHaveLength(1)
      expect(answers.filter(({ status, json }) => status === 409 && json.code === 'event_conflict')).toHaveLength(49)
      expect((await eventOf(server, eventId)).data).toEqual({ n: winners[0] })
    })
  },
)
