import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const CANARY = 'canary-7f3a'

describe('POST /v1/events/{event_id}/erase', () => {
  it('leaves nothing of the payload in any answer, and says 410 where it would be needed', async () => {
    const endpoint = await test.addEndpoint()
    const event = sampleEvent({ data: { total: 1, note: CANARY }, metadata: { note: CANARY }, agent: { id: CANARY } })
    const path = `/v1/events/${String(event['event_id'])}`
    await test.post('/v1/events', { body: event })
    const erased = await test.post(`${path}/erase`)
    expect(erased).toMatchObject({
      status: 200,
      json: { event_id: event['event_id'], data: null, erased_at: expect.any(String), deliveries: { cancelled: 1 } },
    })
    expect((await test.post(`${path}/erase`)).json).toEqual(erased.json)
    const [{ id, reason }] = (await test.get('/v1/deliveries')).json.data
    expect(reason).toBe('erased')
    const late = await test.addEndpoint()
    for (const gone of [
      await test.get(`${path}/body`),
      await test.get(`${path}/body?endpoint_id=${endpoint}`),
      await test.post(`${path}/replay`),
      await test.post(`${path}/replay`, { body: { endpoint_id: late } }),
      await test.post(`/v1/deliveries/${id}/replay`),
    ]) {
      expect([gone.status, gone.json.code]).toEqual([410, 'payload_expired'])
    }
    for (const read of ['/v1/events', path, `${path}/deliveries`, `/v1/deliveries/${id}/attempts`, '/v1/audit-log']) {
      const { status, text } = await test.get(read)
      expect([read, status, text.includes(CANARY)]).toEqual([read, 200, false])
    }
    expect((await test.post('/v1/events', { body: event })).json).toMatchObject({ duplicate: true })
    expect((await test.post('/v1/events', { body: { ...event, data: { total: 2 } } })).status).toBe(409)
  })

  it('is for admins, and is on record once', async () => {
    const event = sampleEvent()
    const path = `/v1/events/${String(event['event_id'])}/erase`
    await test.post('/v1/events', { body: event })
    expect((await test.post(path, { key: await test.addKey({ scopes: ['manage', 'replay'] }) })).status).toBe(403)
    expect((await test.post(path, { key: await test.addKey({ tenantId: 'other' }) })).status).toBe(404)
    await test.post(path)
    await test.post(path)
    const { data } = (await test.get('/v1/audit-log?action=event.erased')).json
    expect(data).toMatchObject([{ target: event['event_id'], tenant_id: 'default' }])
  })
})
