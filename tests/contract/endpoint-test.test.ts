import type { EndpointTest, EndpointView } from '@runbell/sdk/contract'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { createEndpoint, get, post } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

describe('a test of an endpoint', () => {
  const server = shareServer()

  test('arrives at once, signed, with a new id each time and what the answer says', async () => {
    const receiver = await server.receiver(() => ({ status: 201, body: 'taken' }))
    const { id, secret } = await createEndpoint(server, receiver.url, 'agent.approval.requested')
    const answers = [
      await post<EndpointTest>(server, `/v1/endpoints/${id}/test`),
      await post<EndpointTest>(server, `/v1/endpoints/${id}/test`, { type: 'agent.run.failed' }),
    ]
    expect(receiver.received).toHaveLength(2)
    for (const [index, { event_id: eventId, body, attempt }] of answers.entries()) {
      const { headers, body: bytes } = receiver.received[index] as (typeof receiver.received)[number]
      expect(bytes.toString()).toBe(body)
      expect(headers['webhook-id']).toBe(eventId)
      expect(attempt).toMatchObject({ outcome: 'delivered', status_code: 201, response_excerpt: { text: 'taken' } })
      new Webhook(secret as string).verify(bytes, headers as Record<string, string>)
    }
    expect(answers.map(({ type, subscribed }) => [type, subscribed])).toEqual([
      ['agent.approval.requested', true],
      ['agent.run.failed', false],
    ])
    expect(new Set(answers.map(({ event_id: eventId }) => eventId)).size).toBe(2)
  })

  test('says what is wrong, and changes nothing of the endpoint: a 410 does not disable it', async () => {
    const receiver = await server.receiver(() => 410)
    const { id } = await createEndpoint(server, receiver.url, 'agent.run.started')
    const { attempt } = await post<EndpointTest>(server, `/v1/endpoints/${id}/test`)
    expect(attempt).toMatchObject({
      outcome: 'http_error',
      status_code: 410,
      diagnosis: { url: '/diagnoses/http_410' },
    })
    expect(await get<EndpointView>(server, `/v1/endpoints/${id}`)).toMatchObject({ status: 'enabled' })
    expect(await get(server, `/v1/deliveries?endpoint_id=${id}`)).toMatchObject({ data: [] })
  })
})
