import type { DeliveryView, EventView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  createEndpoint,
  deliveriesOf,
  get,
  post,
  publish,
  request,
  untilDelivery,
  type CreatedEndpoint,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

const PROMPT = 'I want my money back for order 7781'
const started = (run: string) => ({
  type: 'agent.run.started',
  agent: { id: 'refund-agent', name: 'Refund agent' },
  run_id: run,
  data: { status: 'running', trigger: 'user', input: PROMPT },
})

async function keyWith(
  server: { url: string },
  dataClasses: string[] | undefined,
  scopes = ['read', 'replay'],
): Promise<string> {
  const body = { scopes, ...(dataClasses === undefined ? {} : { data_classes: dataClasses }) }
  return (await post<{ key: string }>(server, '/v1/api-keys', body)).key
}

describe('grants', () => {
  const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '100ms,10s' })

  test('each endpoint gets what it was granted, and is told what it was not', async () => {
    const [least, most] = [await server.receiver(() => 204), await server.receiver(() => 204)]
    await createEndpoint(server, least.url, 'agent.run.started')
    await createEndpoint(server, most.url, 'agent.run.started', { data_classes: ['prompt', 'operational'] })
    const { event_id: eventId } = await publish(server, started('grants-1'))
    for (const receiver of [least, most]) await receiver.until((received) => received.length === 1)
    const bodies = [least, most].map(({ received }) => received[0]?.body.toString() ?? '')
    expect(bodies[0]).not.toContain(PROMPT)
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({
      withheld: ['operational', 'prompt'],
      agent: { id: 'refund-agent' },
    })
    expect(JSON.parse(bodies[1] ?? '')).toMatchObject({ agent: { name: 'Refund agent' }, data: { input: PROMPT } })
    expect(bodies[1]).not.toContain('withheld')
    const hashes = (await deliveriesOf(server, eventId)).map(({ body_sha256: hash }) => hash)
    expect(new Set(hashes).size).toBe(2)
  })

  test('narrowed grants end what would now send too much, and nothing of it is sent', async () => {
    const receiver = await server.receiver(() => 204)
    const { id } = await createEndpoint(server, receiver.url, 'agent.run.started', { data_classes: ['prompt'] })
    await post(server, `/v1/endpoints/${id}/pause`)
    const { event_id: eventId } = await publish(server, started('grants-2'))
    const patched = await request<CreatedEndpoint>(server, 'PATCH', `/v1/endpoints/${id}`, {
      body: { data_classes: [] },
    })
    expect([patched.status, patched.json.data_classes]).toEqual([200, ['public', 'summary']])
    const delivery = (await deliveriesOf(server, eventId)).find(({ endpoint_id: to }) => to === id) as DeliveryView
    expect(delivery).toMatchObject({ status: 'cancelled', reason: 'policy_changed' })
    await post(server, `/v1/endpoints/${id}/resume`)
    const replayed = await request<{ code: string }>(server, 'POST', `/v1/deliveries/${delivery.id}/replay`, {
      body: {},
    })
    expect([replayed.status, replayed.json.code]).toEqual([409, 'policy_changed'])

    const { event_id: next } = await publish(server, started('grants-3'))
    await receiver.until((received) => received.length === 1)
    expect(receiver.received[0]?.eventId).toBe(next)
    expect(receiver.received[0]?.body.toString()).not.toContain(PROMPT)
  })

  test('a retry after narrowing is not sent', async () => {
    const receiver = await server.receiver(() => 500)
    const { id } = await createEndpoint(server, receiver.url, 'agent.task.created', { data_classes: ['operational'] })
    const event = {
      type: 'agent.task.created',
      agent: { id: 'a', name: 'Agent name' },
      task_id: 't',
      data: { status: 'queued' },
    }
    const { event_id: eventId } = await publish(server, event)
    await receiver.until((received) => received.length === 2)
    await request(server, 'PATCH', `/v1/endpoints/${id}`, { body: { data_classes: [] } })
    expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'cancelled', reason: 'policy_changed' })
    expect(receiver.received).toHaveLength(2)
  })

  test('a replay to an endpoint made later is cut by its own grants', async () => {
    const { event_id: eventId } = await publish(server, started('grants-4'))
    const receiver = await server.receiver(() => 204)
    const { id } = await createEndpoint(server, receiver.url, 'acme.nothing.happened')
    await post(server, `/v1/events/${eventId}/replay`, { endpoint_id: id })
    await receiver.until((received) => received.length === 1)
    expect(receiver.received[0]?.body.toString()).not.toContain(PROMPT)
    expect(JSON.parse(receiver.received[0]?.body.toString() ?? '')).toMatchObject({
      withheld: ['operational', 'prompt'],
      sequence: 1,
      data: { status: 'running', trigger: 'user' },
    })
  })

  test('what a key may not see is in none of its answers', async () => {
    const receiver = await server.receiver(() => ({ status: 200, body: `you sent ${PROMPT}` }))
    const { id } = await createEndpoint(server, receiver.url, 'agent.run.started', { data_classes: ['prompt'] })
    const { event_id: eventId } = await publish(server, started('grants-5'))
    await receiver.until((received) => received.length === 1)
    const key = await keyWith(server, undefined)
    const delivery = (await deliveriesOf(server, eventId, { key })).find(
      ({ endpoint_id: to }) => to === id,
    ) as DeliveryView
    await untilEnded(delivery.id)
    const paths = [
      `/v1/events/${eventId}`,
      '/v1/events?type=agent.run.started',
      `/v1/events/${eventId}/body`,
      `/v1/events/${eventId}/body?endpoint_id=${id}`,
      `/v1/deliveries/${delivery.id}`,
      `/v1/deliveries/${delivery.id}/attempts`,
    ]
    for (const path of paths) {
      const { bytes } = await request(server, 'GET', path, { key })
      expect(bytes.includes(PROMPT), path).toBe(false)
    }
    const { json: event } = await request<EventView>(server, 'GET', `/v1/events/${eventId}`, { key })
    expect(event).toMatchObject({ withheld: ['operational', 'prompt'], body_sha256: null, data: { status: 'running' } })
    const exact = await request(server, 'GET', `/v1/events/${eventId}/body?endpoint_id=${id}`, { key })
    expect(exact.status).toBe(403)

    const mayRead = await keyWith(server, ['prompt'])
    const { bytes } = await request(server, 'GET', `/v1/events/${eventId}/body?endpoint_id=${id}`, { key: mayRead })
    expect(bytes.equals(receiver.received[0]?.body as Buffer)).toBe(true)

    async function untilEnded(deliveryId: string): Promise<void> {
      for (;;) if ((await get<DeliveryView>(server, `/v1/deliveries/${deliveryId}`)).status === 'delivered') return
    }
  })

  test('a tenant’s max_data_classes bounds its endpoints, before and after', async () => {
    const receiver = await server.receiver(() => 204)
    const more = { tenant_id: 'bounded', data_classes: ['prompt', 'memory'] }
    const { id } = await createEndpoint(server, receiver.url, 'agent.run.started', more)
    await post(server, '/v1/tenants', { id: 'bounded', max_data_classes: ['public', 'summary', 'memory'] })
    const endpoint = await get<CreatedEndpoint>(server, `/v1/endpoints/${id}?tenant_id=bounded`)
    expect(endpoint.data_classes.toSorted()).toEqual(['memory', 'public', 'summary'])
    const body = { url: receiver.url, event_types: ['*'], ...more }
    const refused = await request<{ errors: { path: string }[] }>(server, 'POST', '/v1/endpoints', { body })
    expect([refused.status, refused.json.errors[0]?.path]).toEqual([422, '/data_classes'])
    const widened = { body: { data_classes: ['prompt'] } }
    expect((await request(server, 'PATCH', `/v1/endpoints/${id}?tenant_id=bounded`, widened)).status).toBe(422)

    const bound = (await post<{ key: string }>(server, '/v1/api-keys', { scopes: ['admin'], tenant_id: 'bounded' })).key
    const own = { body: { id: 'bounded', max_data_classes: null }, key: bound }
    expect((await request(server, 'POST', '/v1/tenants', own)).status).toBe(403)
    await post(server, `/v1/endpoints/${id}/pause?tenant_id=bounded`)
    const { event_id: eventId } = await publish(server, { ...started('grants-6'), tenant_id: 'bounded' })
    const listed = await get<Page<DeliveryView>>(server, `/v1/events/${eventId}/deliveries?tenant_id=bounded`)
    expect(listed.data.map(({ endpoint_id: to }) => to)).toContain(id)
  })
})
