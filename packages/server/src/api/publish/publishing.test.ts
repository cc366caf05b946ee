import { beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../store/store.ts'
import { NOW, createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

describe('POST /v1/events', () => {
  it('answers 202 with the event, its sequence and the number of deliveries', async () => {
    await test.addEndpoint()
    await test.addEndpoint({ event_types: ['acme.other.*'] })
    const event = sampleEvent({ type: 'agent.run.started', run_id: 'r1', data: { status: 'running' } })
    const answer = await test.post('/v1/events', { body: event })
    expect(answer.status).toBe(202)
    expect(answer.json).toMatchObject({ event_id: event['event_id'], sequence: 1, duplicate: false, deliveries: 1 })
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('makes an event id where there is none', async () => {
    const answer = await test.post('/v1/events', { body: sampleEvent({ event_id: undefined }) })
    expect(answer.json.event_id).toMatch(/^evt_test_[0-9a-z]{26}$/)
  })

  it('repeats the first answer for the same bytes, also with other white space around them', async () => {
    const raw = JSON.stringify(sampleEvent())
    const first = await test.post('/v1/events', { raw })
    const second = await test.post('/v1/events', { raw: ` \n${raw}\t\r\n` })
    expect(second.status).toBe(202)
    expect(second.json).toEqual({ ...first.json, duplicate: true })
  })

  it('refuses the same id with one differing space', async () => {
    const raw = JSON.stringify(sampleEvent())
    await test.post('/v1/events', { raw })
    const answer = await test.post('/v1/events', { raw: raw.replace('{', '{ ') })
    expect(answer.status).toBe(409)
    expect(answer.json).toMatchObject({ code: 'event_conflict', errors: [{ path: '/event_id' }] })
  })

  it('makes one event of fifty requests at once', async () => {
    const body = sampleEvent()
    const answers = await Promise.all(Array.from({ length: 50 }, () => test.post('/v1/events', { body })))
    expect(answers.every(({ status }) => status === 202)).toBe(true)
    expect(answers.filter(({ json }) => json.duplicate === false)).toHaveLength(1)
    expect((await test.get('/v1/events')).json.data).toHaveLength(1)
  })

  it('takes an Idempotency-Key where there is no event id', async () => {
    const raw = JSON.stringify(sampleEvent({ event_id: undefined }))
    const headers = { 'idempotency-key': 'order-7' }
    const first = await test.post('/v1/events', { raw, headers })
    const second = await test.post('/v1/events', { raw, headers })
    expect(second.json).toMatchObject({ event_id: first.json.event_id, duplicate: true })
    const other = await test.post('/v1/events', { raw: raw.replace(':1', ':2'), headers })
    expect(other.json).toMatchObject({ status: 409, code: 'event_conflict', errors: [{ path: '/idempotency_key' }] })
  })

  it.each([
    ['is empty', ''],
    ['has 256 characters', 'x'.repeat(256)],
    ['is not ASCII', 'k\u00e9'],
  ])('refuses an Idempotency-Key that %s', async (_what, value) => {
    const answer = await test.post('/v1/events', { body: sampleEvent(), headers: { 'idempotency-key': value } })
    expect(answer.json).toMatchObject({ status: 422, errors: [{ path: '/headers/idempotency-key' }] })
  })

  it.each([
    ['half an object', 'malformed_json', 400, '{"a":1'],
    ['nothing', 'malformed_json', 400, ''],
    ['a name twice', 'duplicate_key', 400, '{"a":1,"\\u0061":2}'],
    ['33 levels', 'too_deep', 400, `${'['.repeat(33)}${']'.repeat(33)}`],
    ['10,002 members', 'payload_too_large', 413, `{"a":[${'1,'.repeat(10_000)}1]}`],
    ['an array', 'invalid_request', 422, '[]'],
  ])('refuses %s with %s', async (_what, code, status, raw) => {
    const answer = await test.post('/v1/events', { raw })
    expect(answer.json).toMatchObject({ status, code, type: `/problems/${code}` })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })

  it('names the byte and the path of a syntax error', async () => {
    const { json } = await test.post('/v1/events', { raw: '{"data":{"a":[1,}]}}' })
    expect(json.detail).toContain('at byte 16')
    expect(json.errors[0].path).toBe('/data/a/1')
  })

  it.each([['text/plain'], ['application/json; charset=latin1'], ['application/x-ndjson'], ['application/jsonx']])(
    'refuses the content type %s',
    async (type) => {
      const answer = await test.post('/v1/events', { body: sampleEvent(), headers: { 'content-type': type } })
      expect(answer.json).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    },
  )

  it.each(['application/json; charset="UTF-8"', 'application/cloudevents+json', 'Application/JSON'])(
    'takes the content type %s',
    async (type) => {
      const answer = await test.post('/v1/events', { body: sampleEvent(), headers: { 'content-type': type } })
      expect(answer.status).toBe(202)
    },
  )

  it('refuses compressed bodies', async () => {
    const answer = await test.post('/v1/events', { body: sampleEvent(), headers: { 'content-encoding': 'gzip' } })
    expect(answer.status).toBe(415)
  })

  it('warns of a large body and refuses one above the limit', async () => {
    const large = await test.post('/v1/events', { body: sampleEvent({ data: { text: 'x'.repeat(30_000) } }) })
    expect(large.json.warnings).toMatchObject([{ code: 'large_body' }])
    const tooLarge = await test.post('/v1/events', { body: sampleEvent({ data: { text: 'x'.repeat(300_000) } }) })
    expect(tooLarge.json).toMatchObject({ status: 413, code: 'payload_too_large' })
  })

  it('refuses unknown types of a reserved prefix and names that every object has', async () => {
    const unknown = await test.post('/v1/events', { body: sampleEvent({ type: 'agent.run.startd', run_id: 'r' }) })
    expect(unknown.json).toMatchObject({ status: 422, code: 'unknown_event_type' })
    const { json } = await test.post('/v1/events', { body: sampleEvent({ constructor: 1 }) })
    expect(json).toMatchObject({
      status: 422,
      code: 'invalid_request',
      errors: [{ path: '/constructor', message: expect.any(String) }],
    })
  })

  it.each([
    ['unavailable', 503],
    ['storage_full', 507],
  ] as const)('answers %s with Retry-After and tells nothing of the reason', async (code, status) => {
    test.context.acceptor.accept = () => Promise.reject(new StoreUnavailable(code, 'secret path /var/db'))
    const answer = await test.post('/v1/events', { body: sampleEvent() })
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ code, retryable: true })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.text).not.toContain('/var/db')
  })

  it('answers 500 to an unexpected exception, with the details only in the log', async () => {
    test.context.acceptor.accept = () => Promise.reject(new Error('boom in a private place'))
    const answer = await test.post('/v1/events', { body: sampleEvent() })
    expect(answer.json).toMatchObject({ status: 500, code: 'internal' })
    expect(answer.text).not.toContain('private place')
    expect(test.logLines.join('')).toContain('private place')
    expect(test.logLines.join('')).toContain(answer.json.request_id)
  })
})

describe('POST /v1/events/batch', () => {
  const batch = (body: unknown) => test.post('/v1/events/batch', { body })
  const lines = (raw: string, type = 'application/x-ndjson') =>
    test.post('/v1/events/batch', { raw, headers: { 'content-type': type } })

  it('answers for every item in order and lets a bad one harm no other', async () => {
    const [first, third] = [sampleEvent(), sampleEvent()]
    const bad = sampleEvent({ agent: undefined })
    const { status, json } = await batch([first, bad, third, 7])
    expect(status).toBe(202)
    expect(json.results).toMatchObject([
      { event_id: first['event_id'], status: 'accepted', sequence: null, deliveries: 0, warnings: [] },
      {
        event_id: bad['event_id'],
        status: 'rejected',
        problem: { code: 'invalid_request', errors: [{ path: '/agent' }] },
      },
      { event_id: third['event_id'], status: 'accepted' },
      { event_id: null, status: 'rejected', problem: { status: 422 } },
    ])
    expect(json.results[0]).not.toHaveProperty('duplicate')
    expect((await test.get('/v1/events')).json.data).toHaveLength(2)
  })

  it('commits a batch in few groups', async () => {
    await batch([sampleEvent()])
    const before = test.acceptor.stats().commits
    await batch(Array.from({ length: 200 }, () => sampleEvent()))
    expect(test.acceptor.stats().commits - before).toBeLessThanOrEqual(2)
  })

  it('takes the first of two items with the same id and calls the second a duplicate', async () => {
    const event = sampleEvent()
    const { json } = await batch([event, event, { ...event, data: { total: 2 } }])
    expect(json.results).toMatchObject([
      { status: 'accepted' },
      { status: 'duplicate', event_id: event['event_id'] },
      { status: 'rejected', problem: { code: 'event_conflict' } },
    ])
  })

  it('stores the first of two items with the same id also where its endpoints are found later', async () => {
    const load = test.store.loadMatchSet.bind(test.store)
    let calls = 0
    test.store.loadMatchSet = async (input) => {
      // The first look-up answers some turns of the event loop after the others.
      for (let turn = calls++ === 0 ? 20 : 0; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
      return await load(input)
    }
    const event = sampleEvent()
    const { json } = await batch([event, { ...event, data: { total: 2 } }])
    expect(json.results).toMatchObject([{ status: 'accepted' }, { status: 'rejected' }])
  })

  it('takes idempotency_key per item, and no header', async () => {
    const item = sampleEvent({ event_id: undefined, idempotency_key: 'k1' })
    const { json } = await batch([item, item])
    expect(json.results).toMatchObject([{ status: 'accepted' }, { status: 'duplicate' }])
    expect(json.results[0].event_id).toBe(json.results[1].event_id)
    const refused = await test.post('/v1/events/batch', { body: [item], headers: { 'idempotency-key': 'k' } })
    expect(refused.json).toMatchObject({ status: 422, errors: [{ path: '/headers/idempotency-key' }] })
  })

  it('numbers the events of a run in the order of the batch', async () => {
    const items = Array.from({ length: 20 }, () => sampleEvent({ run_id: 'r9' }))
    const { json } = await batch(items)
    expect(json.results.map(({ sequence }: { sequence: number }) => sequence)).toEqual(
      items.map((_, index) => index + 1),
    )
  })

  it('stores nothing of a broken array', async () => {
    const raw = `[${JSON.stringify(sampleEvent())}, {"type":`
    const answer = await test.post('/v1/events/batch', { raw })
    expect(answer.json).toMatchObject({ status: 400, code: 'malformed_json' })
    expect((await test.get('/v1/events')).json.data).toEqual([])
  })

  it('takes an empty batch of either kind', async () => {
    expect((await batch([])).json).toEqual({ results: [] })
    expect((await lines('\n \r\n')).json).toEqual({ results: [] })
  })

  it('refuses more items than the limit, and takes exactly as many', async () => {
    test.context.limits.batchEvents = 3
    const items = Array.from({ length: 4 }, () => sampleEvent())
    expect((await batch(items)).json).toMatchObject({ status: 413, code: 'payload_too_large' })
    const ndjson = items.map((item) => JSON.stringify(item)).join('\n')
    expect((await lines(ndjson)).status).toBe(413)
    expect((await batch(items.slice(1))).status).toBe(202)
    expect((await lines(`${ndjson.split('\n').slice(1).join('\n\n')}\n`)).status).toBe(202)
  })

  it('rejects an item above the size of one event', async () => {
    const { json } = await batch([sampleEvent({ data: { text: 'x'.repeat(300_000) } }), sampleEvent()])
    expect(json.results).toMatchObject([{ problem: { code: 'payload_too_large' } }, { status: 'accepted' }])
  })

  it.each(['application/x-ndjson', 'application/jsonl'])('reads %s: a bad line rejects that line', async (type) => {
    const [one, two] = [sampleEvent(), sampleEvent()]
    const { status, json } = await lines(`${JSON.stringify(one)}\r\n\n{"broken":\n  ${JSON.stringify(two)}  `, type)
    expect(status).toBe(202)
    expect(json.results).toMatchObject([
      { event_id: one['event_id'], status: 'accepted' },
      { event_id: null, status: 'rejected', problem: { code: 'malformed_json' } },
      { event_id: two['event_id'], status: 'accepted' },
    ])
  })

  it('knows an event again whichever way it came', async () => {
    const event = sampleEvent()
    const text = JSON.stringify(event)
    await test.post('/v1/events', { raw: text })
    expect((await lines(`${text}\n`)).json.results).toMatchObject([{ status: 'duplicate' }])
    expect((await test.post('/v1/events/batch', { raw: `[ ${text} ]` })).json.results).toMatchObject([
      { status: 'duplicate' },
    ])
  })

  it('rejects items with the problem of a store that cannot answer', async () => {
    test.context.acceptor.accept = () => Promise.reject(new StoreUnavailable('storage_full', 'disk'))
    const event = sampleEvent()
    const { status, json } = await batch([event])
    expect(status).toBe(202)
    expect(json.results).toMatchObject([
      {
        event_id: event['event_id'],
        status: 'rejected',
        problem: { code: 'storage_full', status: 507, retryable: true },
      },
    ])
  })
})

it('the body keeps service time and the tenant it was published for', async () => {
  const key = await test.addKey({ scopes: ['publish', 'read'], tenantId: 'acme' })
  const event = sampleEvent()
  await test.post('/v1/events', { key, body: event })
  const { json } = await test.get(`/v1/events/${String(event['event_id'])}`, { key })
  expect(json).toMatchObject({ tenant_id: 'acme', recorded_at: new Date(NOW).toISOString() })
  const foreign = await test.post('/v1/events', { key, body: sampleEvent({ tenant_id: 'other' }) })
  expect(foreign.json).toMatchObject({ status: 403, code: 'insufficient_scope' })
})
