import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi({ gate: { eventsPerSecond: 1, maxPending: 1000 } })
})

const publish = (fields: Record<string, unknown> = {}) => test.post('/v1/events', { body: sampleEvent(fields) })

describe('a tenant that publishes more than it may', () => {
  it('gets 429 with when to try again, nothing is stored, and the same bytes are accepted then', async () => {
    for (let n = 0; n < 10; n++) {
      const { status, headers } = await publish()
      expect(status).toBe(202)
      expect(headers.get('ratelimit-policy')).toBe('"publish";q=10;w=10')
      expect(headers.get('ratelimit')).toBe(`"publish";r=${9 - n};t=${n + 1}`)
    }
    const body = sampleEvent()
    const refused = await test.post('/v1/events', { body })
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited', retryable: true } })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.headers.get('ratelimit')).toBe('"publish";r=0;t=10')
    expect((await test.get(`/v1/events/${String(body['event_id'])}`)).status).toBe(404)
    expect((await publish({ tenant_id: 'other' })).status).toBe(202)
    test.clock.advance(1000)
    expect((await test.post('/v1/events', { body })).json).toMatchObject({ duplicate: false })
  })

  it('has each event of a batch taken or rejected for itself', async () => {
    const events = Array.from({ length: 12 }, () => sampleEvent())
    const { status, json, headers } = await test.post('/v1/events/batch', {
      body: [...events, sampleEvent({ tenant_id: 'other' })],
    })
    expect(status).toBe(202)
    expect(json.results.map((result: { status: string }) => result.status)).toEqual([
      ...Array.from({ length: 10 }, () => 'accepted'),
      ...['rejected', 'rejected', 'accepted'],
    ])
    expect(json.results[10]).toMatchObject({ event_id: events[10]?.['event_id'], problem: { code: 'rate_limited' } })
    expect(headers.get('retry-after')).toBe('1')
  })

  it('may publish as much as an admin has set for it, at once', async () => {
    const { json } = await test.post('/v1/tenants', { body: { id: 'default', events_per_second: 0.1 } })
    expect(json).toMatchObject({ events_per_second: 0.1, max_pending_deliveries: null, max_data_classes: null })
    expect((await publish()).headers.get('ratelimit-policy')).toBe('"publish";q=1;w=10')
    const refused = await publish()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10'])
    await test.post('/v1/tenants', { body: { id: 'default', events_per_second: 5 } })
    expect((await publish()).status).toBe(429)
    test.clock.advance(1000)
    expect((await publish()).headers.get('ratelimit-policy')).toBe('"publish";q=50;w=10')
    const bound = await test.addKey({ tenantId: 'default' })
    expect((await test.post('/v1/tenants', { key: bound, body: { id: 'default' } })).status).toBe(403)
    expect((await test.post('/v1/tenants', { body: { id: 'a', events_per_second: 0 } })).status).toBe(422)
  })

  it('gets 429 where more would be pending than may be, until deliveries have ended', async () => {
    await test.addEndpoint()
    await test.post('/v1/tenants', { body: { id: 'default', events_per_second: 1000, max_pending_deliveries: 4 } })
    for (let n = 0; n < 3; n++) expect((await publish()).status).toBe(202)
    await new Promise((resolve) => setImmediate(resolve))
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await publish()).status)
    expect(statuses).toEqual([202, 429, 429])
    const refused = await publish()
    expect(refused.json).toMatchObject({
      code: 'quota_exceeded',
      detail: expect.stringContaining('4 deliveries pending'),
    })
    expect(refused.headers.get('retry-after')).toBe('10')
    for (const { id } of (await test.get('/v1/deliveries')).json.data) await test.post(`/v1/deliveries/${id}/cancel`)
    test.clock.advance(10_000)
    await publish()
    await new Promise((resolve) => setImmediate(resolve))
    expect((await publish()).status).toBe(202)
  })
})
