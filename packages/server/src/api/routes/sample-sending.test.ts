import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import type { EndpointTest } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ApiContext } from '../context.ts'
import { createTestApi, NOW, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let sent: Parameters<ApiContext['sendOnce']>[0][]
beforeEach(async () => {
  test = await createTestApi()
  sent = []
  const answer = test.sendOnce
  test.sendOnce = (input) => (sent.push(input), answer(input))
})

async function send(id: string, body: unknown = {}, key = test.key) {
  return test.post(`/v1/endpoints/${id}/test`, { body, key })
}

async function tried(id: string, type?: string, key?: string): Promise<EndpointTest> {
  const { status, json } = await send(id, type === undefined ? {} : { type }, key)
  expect(status).toBe(200)
  return json as EndpointTest
}

describe('sending a sample to an endpoint', () => {
  it('sends what the answer says, marked as a test wherever one could look', async () => {
    const id = await test.addEndpoint({ event_types: ['agent.approval.*'] })
    const answer = await tried(id)
    expect(answer).toMatchObject({ test: true, endpoint_id: id, type: 'agent.approval.requested', subscribed: true })
    const body = JSON.parse(answer.body)
    expect(body).toMatchObject({ event_id: answer.event_id, type: answer.type, mode: 'test' })
    expect(body.run_id).toMatch(/^run_test_/)
    expect(answer.event_id).toMatch(/^evt_test_/)
    expect(answer.attempt).toMatchObject({ number: 1, trigger: 'test', outcome: 'delivered', status_code: 204 })
    expect(answer.attempt.id).toMatch(/^att_test_/)
    expect(sent).toMatchObject([{ endpointId: id, eventId: answer.event_id, deliveryId: answer.attempt.delivery_id }])
    expect(Buffer.from(sent[0]?.body ?? []).toString()).toBe(answer.body)
  })

  it('stores no event and no delivery, and says in the audit log that it was done', async () => {
    const id = await test.addEndpoint()
    const { event_id: eventId, type } = await tried(id)
    expect((await test.get(`/v1/events/${eventId}`)).status).toBe(404)
    expect((await test.get('/v1/deliveries')).json.data).toEqual([])
    const [entry] = (await test.get('/v1/audit-log')).json.data
    expect(entry).toMatchObject({ action: 'endpoint.tested', target: id, detail: { type } })
  })

  it.each([...BUILT_IN_TYPES.keys(), ...SERVICE_TYPES.keys()])(
    '%s: is cut to what the endpoint is granted, and whole where it is granted all',
    async (type) => {
      const all = ['operational', 'personal', 'prompt', 'message', 'document', 'tool_input', 'tool_output', 'memory']
      const [least, most] = [await test.addEndpoint(), await test.addEndpoint({ data_classes: all })]
      const whole = JSON.parse((await tried(most, type)).body)
      const cut = JSON.parse((await tried(least, type)).body)
      expect(whole.withheld ?? []).toEqual([])
      const sample = (await test.get(`/v1/event-types/${type}/sample`)).json
      expect(Object.keys(whole.data)).toEqual(Object.keys(sample.data))
      if (JSON.stringify(cut.data) === JSON.stringify(whole.data) && cut.agent.name === whole.agent.name) {
        expect(cut.withheld ?? []).toEqual([])
      } else expect(cut.withheld.length).toBeGreaterThan(0)
    },
  )

  it('asks for nothing that has run out: what expires does so as long after now as the sample says', async () => {
    const body = JSON.parse((await tried(await test.addEndpoint(), 'agent.approval.requested')).body)
    expect(Date.parse(body.timestamp)).toBe(NOW)
    expect(Date.parse(body.data.expires_at)).toBeGreaterThan(NOW)
  })

  it('goes out in the format and to the live endpoint of the key, still as a test', async () => {
    const key = await test.addKey({ mode: 'live' })
    const id = await test.addEndpoint({ format: 'cloudevents', event_types: ['agent.run.*'] }, key)
    const answer = await tried(id, undefined, key)
    expect(JSON.parse(answer.body)).toMatchObject({ specversion: '1.0', id: answer.event_id })
    expect(answer.event_id).toMatch(/^evt_test_/)
  })

  it('sends a type it does not subscribe to if asked to, and says so', async () => {
    const id = await test.addEndpoint({ event_types: ['agent.run.*'] })
    expect(await tried(id, 'agent.approval.requested')).toMatchObject({ subscribed: false })
  })

  it('sends to an endpoint whatever its status: that is how one finds out whether to enable it', async () => {
    const id = await test.addEndpoint()
    for (const step of ['pause', 'disable']) {
      await test.post(`/v1/endpoints/${id}/${step}`)
      expect((await tried(id)).attempt.outcome).toBe('delivered')
    }
  })

  it('knows the types of the catalog only, and suggests one', async () => {
    const id = await test.addEndpoint()
    const { status, json } = await send(id, { type: 'agent.run.complete' })
    expect([status, json.code]).toEqual([422, 'unknown_event_type'])
    expect(json.errors[0].message).toContain('agent.run.completed')
    expect(sent).toEqual([])
  })

  it.each([
    ['busy', 429, 'rate_limited'],
    [null, 404, 'not_found'],
  ] as const)('says why nothing was sent: %s', async (result, status, code) => {
    const id = await test.addEndpoint()
    test.sendOnce = async () => result
    const answer = await send(id)
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers.get('retry-after')).toBe(status === 429 ? '1' : null)
  })

  it('keeps a fault of this side to the log, where it names addresses', async () => {
    const id = await test.addEndpoint()
    const outcome = { kind: 'not_sent', fault: 'no_resolver', detail: 'no name server at 10.0.0.2' } as const
    test.sendOnce = async () => ({ startedAt: NOW, outcome, requestHeaders: [] })
    const answer = await send(id)
    expect([answer.status, answer.json.code]).toEqual([503, 'unavailable'])
    expect(answer.text).not.toContain('10.0.0.2')
    expect(test.logLines.join('')).toContain('10.0.0.2')
  })

  it('of a failure gives the diagnosis, and not the address', async () => {
    const id = await test.addEndpoint()
    const phases = { dns: 1, connect: null, tls: null, wait: null }
    const detail = 'receiver.test is 169.254.169.254'
    test.sendOnce = async () => ({
      startedAt: NOW,
      outcome: { kind: 'failure', outcome: 'blocked_address', detail, phases, durationMs: 2 },
      requestHeaders: [],
    })
    const answer = await send(id)
    expect(answer.json.attempt).toMatchObject({
      outcome: 'blocked_address',
      diagnosis: { fix: expect.stringContaining('RUNBELL_EGRESS_ALLOW') },
    })
    expect(answer.text).not.toContain('169.254')
  })
})
