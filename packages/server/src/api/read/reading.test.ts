import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, putOwnType, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const idsOf = (page: { data: { event_id: string }[] }) => page.data.map(({ event_id }) => event_id)

describe('an event that is read', () => {
  const data = String.raw`{"big":12345678901234567890,"one":1.0,"huge":1E400,"zero":-0,"e":"\u00e9","slash":"\/", "é": "é" }`
  const raw = `{"event_id":"evt_test_exactbytes","type":"acme.invoice.drafted","agent":{"id":"a"},"data":${data}}`

  it('shows the bytes of its data as they were sent, alone and in a list', async () => {
    await test.post('/v1/events', { raw })
    const one = await test.get('/v1/events/evt_test_exactbytes')
    const list = await test.get('/v1/events')
    for (const { text } of [one, list]) expect(text).toContain(`"data":${data},"body_sha256":"`)
    expect(one.json.deliveries).toEqual({
      total: 0,
      delivered: 0,
      pending: 0,
      dead_lettered: 0,
      cancelled: 0,
      expired: 0,
    })
  })

  it('has its exact bytes under /body, with their SHA-256', async () => {
    const endpoint = await test.addEndpoint()
    await test.post('/v1/events', { raw })
    const body = await test.get('/v1/events/evt_test_exactbytes/body')
    expect(body.text.endsWith(`"data":${data}}`)).toBe(true)
    expect(body.headers.get('content-type')).toBe('application/json')
    expect(body.headers.get('x-content-type-options')).toBe('nosniff')
    const sha256 = createHash('sha256').update(body.text).digest('hex')
    expect(body.headers.get('runbell-body-sha256')).toBe(sha256)
    expect((await test.get('/v1/events/evt_test_exactbytes')).json.body_sha256).toBe(sha256)
    const delivered = await test.get(`/v1/events/evt_test_exactbytes/body?endpoint_id=${endpoint}`)
    expect(delivered.text).toBe(body.text)
    expect((await test.get('/v1/events/evt_test_exactbytes/body?endpoint_id=ep_none')).status).toBe(404)
  })
})

describe('a list', () => {
  async function publish(count: number, fields: Record<string, unknown> = {}): Promise<string[]> {
    const events = Array.from({ length: count }, () => sampleEvent(fields))
    await test.post('/v1/events/batch', { body: events })
    return events.map((event) => String(event['event_id']))
  }

  it('is paged newest first, without gaps or repeats, also while it grows', async () => {
    const ids = await publish(7)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await test.get(`/v1/events?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...idsOf(page.json))
      cursor = page.json.next_cursor as string | null
      await publish(1)
    }
    expect(seen).toEqual(ids.toReversed())
  })

  it('refuses cursors that were forged, changed, of other filters, of another list or of another key’s view', async () => {
    await publish(3)
    const { json } = await test.get('/v1/events?limit=1&type=acme.*')
    const good = json.next_cursor as string
    expect((await test.get(`/v1/events?limit=2&type=acme.*&cursor=${good}`)).status).toBe(200)
    const flipped = (good[0] === 'B' ? 'C' : 'B') + good.slice(1)
    const live = await test.addKey({ mode: 'live' })
    const answers = [
      await test.get('/v1/events?type=acme.*&cursor=AAAA'),
      await test.get(`/v1/events?type=acme.*&cursor=${'A'.repeat(32)}`),
      await test.get(`/v1/events?type=acme.*&cursor=${flipped}`),
      await test.get(`/v1/events?type=acme.*&cursor=${good}A`),
      await test.get(`/v1/events?cursor=${good}`),
      await test.get(`/v1/events?type=acme.*&tenant_id=default&cursor=${good}`),
      await test.get(`/v1/deliveries?type=acme.*&cursor=${good}`),
      await test.get(`/v1/events?type=acme.*&cursor=${good}`, { key: live }),
    ]
    for (const answer of answers) expect(answer.json).toMatchObject({ status: 400, code: 'cursor_invalid' })
  })

  it('refuses the cursor of a list of other things with the same filters', async () => {
    await test.addEndpoint()
    await test.addEndpoint()
    const { json } = await test.get('/v1/endpoints?limit=1')
    expect((await test.get(`/v1/endpoints?cursor=${json.next_cursor}`)).status).toBe(200)
    expect((await test.get(`/v1/api-keys?cursor=${json.next_cursor}`)).json.code).toBe('cursor_invalid')
  })

  it('is filtered by type globs, repeated or comma-separated, by run and by time', async () => {
    for (const type of ['acme.run.begun', 'acme.other.begun', 'zeta.other.begun'])
      await putOwnType(test.store, 'test', type)
    await test.context.catalogs.refresh('test')
    const [run] = await publish(1, { type: 'acme.run.begun', run_id: 'r:1/x' })
    const [other] = await publish(1, { type: 'acme.other.begun' })
    await publish(1, { type: 'zeta.other.begun' })
    expect(idsOf((await test.get('/v1/events?type=acme.run.*,acme.other.*')).json)).toEqual([other, run])
    expect(idsOf((await test.get('/v1/events?type=acme.run.*&type=acme.other.*')).json)).toEqual([other, run])
    expect(idsOf((await test.get('/v1/events?run_id=r:1/x')).json)).toEqual([run])
    test.clock.advance(60_000)
    const at = new Date(test.clock.now()).toISOString()
    const [late] = await publish(1)
    expect(idsOf((await test.get(`/v1/events?since=${at}`)).json)).toEqual([late])
    expect(idsOf((await test.get(`/v1/events?until=${at}`)).json)).not.toContain(late)
    expect(idsOf((await test.get(`/v1/events?since=${at.replace('Z', '%2B00:00')}`)).json)).toEqual([late])
  })

  it.each([
    ['limit=0', '/query/limit'],
    ['limit=201', '/query/limit'],
    ['limit=many', '/query/limit'],
    ['limit=1.5', '/query/limit'],
    ['limit=1&limit=2', '/query/limit'],
    ['type=Acme', '/query/type/0'],
    ['type=acme.*,', '/query/type/1'],
    ['run_id=-x', '/query/run_id'],
    ['since=yesterday', '/query/since'],
    ['until=2026-02-30T00:00:00Z', '/query/until'],
    ['tenant_id=', '/query/tenant_id'],
    ['status=pending', '/query/status'],
    ['__proto__=1', '/query/__proto__'],
    ['constructor=1', '/query/constructor'],
  ])('refuses the query %s', async (query, path) => {
    const { json } = await test.get(`/v1/events?${query}`)
    expect(json).toMatchObject({
      status: 422,
      code: 'invalid_request',
      errors: [{ path, message: expect.any(String) }],
    })
  })

  it('suggests the name of a mistyped filter', async () => {
    const { json } = await test.get('/v1/events?run-id=1')
    expect(json.errors[0].message).toContain('did you mean run_id')
  })

  it.each(['status=gone', 'error_code=teapot', 'endpoint_id='])('of deliveries refuses %s', async (query) => {
    expect((await test.get(`/v1/deliveries?${query}`)).status).toBe(422)
  })
})
