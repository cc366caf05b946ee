import { verifyWebhook } from '@runbell/sdk/signing'
import { HTTP, type CloudEvent } from 'cloudevents'
import { describe, expect, test } from 'vitest'
import { createEndpoint, eventOf, get, post, publish, request } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

const PROMPT = 'I want my money back for order 7781'
const EVENT = {
  type: 'agent.tool_call.completed',
  agent: { id: 'refund-agent', name: 'Refund agent' },
  run_id: 'run-1',
  metadata: { region: 'eu' },
  data: {
    status: 'completed',
    tool_call_id: 'call-1',
    tool: { name: 'refund' },
    duration_ms: 12,
    side_effects: 'committed',
    summary: 'Refunded 84 EUR.',
    output: { note: PROMPT },
  },
}

describe('formats', () => {
  const server = shareServer()

  async function receive(format: string, more: Record<string, unknown> = {}) {
    const receiver = await server.receiver(() => 204)
    const { secret, id } = await createEndpoint(server, receiver.url, '*', { format, ...more })
    return { receiver, secret: secret ?? '', id }
  }

  test('each endpoint gets its own, with the same headers and a signature over its own bytes', async () => {
    const all = [await receive('runbell'), await receive('thin'), await receive('cloudevents')]
    const { event_id: eventId } = await publish(server, EVENT)
    for (const { receiver, secret, id } of all) {
      await receiver.until((received) => received.some((one) => one.eventId === eventId))
      const [got] = receiver.received
      const { body = Buffer.alloc(0), headers = {} } = got ?? {}
      const verified = await verifyWebhook({ body, headers: headers as Record<string, string>, secrets: [secret] })
      expect(verified.ok).toBe(true)
      expect(headers['webhook-id']).toBe(eventId)
      const stored = await request(server, 'GET', `/v1/events/${eventId}/body?endpoint_id=${id}`)
      expect(stored.bytes.equals(body)).toBe(true)
      expect(stored.headers.get('content-type')).toBe(headers['content-type'])
      expect(body.toString()).not.toContain(PROMPT)
    }
  })

  test('thin says what happened and where the rest can be fetched, by whoever may see it', async () => {
    const { receiver } = await receive('thin', { data_classes: ['tool_output'], tenant_id: 'thin' })
    const { event_id: eventId } = await publish(server, { ...EVENT, tenant_id: 'thin' })
    await receiver.until((received) => received.length === 1)
    const body = JSON.parse(receiver.received[0]?.body.toString() ?? '') as Record<string, unknown>
    expect(body).toMatchObject({
      event_id: eventId,
      type: EVENT.type,
      run_id: 'run-1',
      status: 'completed',
      ids: { tool_call_id: 'call-1' },
    })
    expect(body).not.toHaveProperty('data')
    const resource = new URL(body['resource'] as string)
    expect(resource.origin).toBe(new URL(server.url).origin)
    const fetched = await get<{ data: unknown }>(server, resource.pathname + resource.search)
    expect(fetched.data).toEqual((await eventOf(server, eventId)).data)
    expect((await request(server, 'GET', resource.pathname, { key: null })).status).toBe(401)
  })

  test('cloudevents is read by the reference library of CloudEvents, and validates', async () => {
    const { receiver } = await receive('cloudevents', { tenant_id: 'cloud' })
    const { event_id: eventId, sequence } = await publish(server, { ...EVENT, tenant_id: 'cloud' })
    await receiver.until((received) => received.length === 1)
    const [got] = receiver.received
    expect(got?.headers['content-type']).toBe('application/cloudevents+json')
    const read = HTTP.toEvent({ headers: { ...got?.headers }, body: got?.body.toString() ?? '' }) as CloudEvent<unknown>
    expect(read.validate()).toBe(true)
    expect(read).toMatchObject({
      specversion: '1.0',
      id: eventId,
      type: EVENT.type,
      subject: 'run-1',
      runid: 'run-1',
      tenantid: 'cloud',
      sequence: String(sequence),
      withheld: 'operational,tool_output',
    })
    const schema = new URL(read.dataschema ?? '')
    const served = await get<{ title: string }>(server, schema.pathname, { key: null })
    expect(served.title).toBe(EVENT.type)
    expect(read.data).toMatchObject({ status: 'completed', tool_call_id: 'call-1', summary: 'Refunded 84 EUR.' })
  })

  test('what an endpoint gets of a replay is what it got before', async () => {
    const { receiver } = await receive('cloudevents', { tenant_id: 'again' })
    const { event_id: eventId } = await publish(server, { ...EVENT, tenant_id: 'again' })
    await receiver.until((received) => received.length === 1)
    await post(server, `/v1/events/${eventId}/replay`)
    await receiver.until((received) => received.length === 2)
    const [first, second] = receiver.received
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
    expect(second?.headers['content-type']).toBe(first?.headers['content-type'])
  })
})
