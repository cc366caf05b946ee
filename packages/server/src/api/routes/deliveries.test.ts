import type { AttemptOutcomeName } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Verdict } from '../../core/verdict.ts'
import { NODE_ID, NOW, createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let endpoint: string
let eventId: string
beforeEach(async () => {
  test = await createTestApi()
  test.slots.grant = true
  endpoint = await test.addEndpoint({ headers: { authorization: 'secret' }, retry_schedule: [1000, 2000] })
  const event = sampleEvent({ run_id: 'run1' })
  eventId = String(event['event_id'])
  await test.post('/v1/events', { body: event })
})

const only = async () => (await test.get('/v1/deliveries')).json.data[0]

interface End {
  outcome: AttemptOutcomeName
  statusCode: number | null
  verdict: Verdict
  excerpt?: Uint8Array | null
  truncated?: boolean
}

/** Records how the attempt in flight ended. */
async function record({ outcome, statusCode, verdict, excerpt = null, truncated = false }: End): Promise<void> {
  const claim = test.slots.started.pop()
  if (claim === undefined) throw new Error('nothing is in flight')
  const { results } = await test.store.recordAttempts({
    nodeId: NODE_ID,
    now: test.clock.now(),
    records: [
      {
        position: claim.position,
        number: claim.number,
        startedAt: test.clock.now(),
        durationMs: 12,
        trigger: claim.trigger,
        outcome,
        statusCode,
        requestHeaders: [
          ['webhook-id', eventId],
          ['authorization', '•••'],
          ['x', '1'],
          ['x', '2'],
        ],
        responseHeaders: { server: 'x' },
        excerpt,
        truncated,
        phases: { dns: 1, connect: null, tls: null, wait: 3 },
        verdict,
        endpointEffect: null,
      },
    ],
  })
  expect(results).toEqual(['recorded'])
}

const dead: Verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' }
const text = (value: string) => new TextEncoder().encode(value)

describe('deliveries', () => {
  it('are listed, by event too, and shown with their schedule', async () => {
    const delivery = await only()
    expect(delivery).toMatchObject({
      event_id: eventId,
      event_type: 'acme.invoice.drafted',
      run_id: 'run1',
      endpoint_id: endpoint,
      tenant_id: 'default',
      mode: 'test',
      status: 'pending',
      reason: null,
      attempt_count: 1,
      next_attempt_at: null,
    })
    expect(delivery.body_sha256).toMatch(/^[0-9a-f]{64}$/)
    expect((await test.get(`/v1/events/${eventId}/deliveries`)).json.data).toEqual([delivery])
    const one = await test.get(`/v1/deliveries/${delivery.id}`)
    expect(one.json).toEqual({ ...delivery, schedule: { retry_schedule: [1000, 2000], max_attempts: 3 } })
    expect((await test.get('/v1/deliveries/dlv_none')).status).toBe(404)
    expect((await test.get('/v1/events/evt_test_none0000/deliveries')).status).toBe(404)
  })

  it('are filtered by status, endpoint, run, type and error code', async () => {
    await record({ outcome: 'http_error', statusCode: 500, verdict: { kind: 'retry', at: NOW + 1000 } })
    const { id, next_attempt_at } = await only()
    expect(next_attempt_at).toBe(new Date(NOW + 1000).toISOString())
    const matching = [
      'status=pending,delivered',
      `endpoint_id=${endpoint}`,
      'run_id=run1',
      'type=acme.*',
      'error_code=http_error',
    ]
    for (const query of matching) {
      expect([query, (await test.get(`/v1/deliveries?${query}`)).json.data.length]).toEqual([query, 1])
    }
    const others = ['status=delivered', 'endpoint_id=ep_x', 'run_id=run2', 'type=agent.*', 'error_code=timeout']
    for (const query of others) {
      expect([query, (await test.get(`/v1/deliveries?${query}`)).json.data.length]).toEqual([query, 0])
    }
    expect(id).toMatch(/^dlv_test_/)
  })
})

describe('attempts', () => {
  const attempts = async () => (await test.get(`/v1/deliveries/${(await only()).id}/attempts`)).json.data

  it('show one in flight without an outcome', async () => {
    const { id } = await only()
    expect(await attempts()).toMatchObject([
      {
        id: `${id.replace('dlv_', 'att_')}_1`,
        delivery_id: id,
        number: 1,
        outcome: null,
        duration_ms: null,
        diagnosis: null,
      },
    ])
  })

  it('show headers, phases, excerpt and a diagnosis', async () => {
    const verdict: Verdict = { kind: 'retry', at: NOW + 1000 }
    await record({ outcome: 'http_error', statusCode: 401, verdict, excerpt: text('bad signature') })
    expect(await attempts()).toMatchObject([
      {
        trigger: 'scheduled',
        outcome: 'http_error',
        status_code: 401,
        duration_ms: 12,
        request_headers: { authorization: '•••', x: '1, 2' },
        response_headers: { server: 'x' },
        response_excerpt: { text: 'bad signature', truncated: false },
        phases_ms: { dns: 1, connect: null, tls: null, wait: 3 },
        diagnosis: { title: expect.stringContaining('401'), fix: expect.stringContaining('secret') },
      },
    ])
  })

  it.each([
    ['bytes that are no text', new Uint8Array([0xff, 0xfe]), false, { base64: '//4=', truncated: false }],
    ['text cut inside a character', text('né').subarray(0, 2), true, { text: 'n', truncated: true }],
    ['half a character that is all there is', text('né').subarray(0, 2), false, { base64: 'bsM=', truncated: false }],
    ['nothing', new Uint8Array(0), false, { text: '', truncated: false }],
  ])('show %s', async (_what, excerpt, truncated, view) => {
    await record({ outcome: 'delivered', statusCode: 200, verdict: { kind: 'delivered' }, excerpt, truncated })
    expect((await attempts())[0]).toMatchObject({ response_excerpt: view, diagnosis: null })
  })
})

describe('replay', () => {
  it('of a delivery reopens it and wakes delivery', async () => {
    await record({ outcome: 'delivered', statusCode: 204, verdict: { kind: 'delivered' } })
    const { id } = await only()
    test.wakes.length = 0
    const answer = await test.post(`/v1/deliveries/${id}/replay`)
    expect([answer.status, answer.json]).toEqual([202, { deliveries: [{ id, status: 'pending' }] }])
    expect([...(test.wakes[0]?.endpointIds ?? [])]).toEqual([endpoint])
    expect((await test.post(`/v1/deliveries/${id}/replay`)).status).toBe(202)
    expect((await test.post('/v1/deliveries/dlv_none/replay')).status).toBe(404)
  })

  it('of a delivery whose endpoint was deleted is a conflict', async () => {
    await record({ outcome: 'delivered', statusCode: 204, verdict: { kind: 'delivered' } })
    const { id } = await only()
    await test.ask('DELETE', `/v1/endpoints/${endpoint}`)
    expect((await test.post(`/v1/deliveries/${id}/replay`)).json).toMatchObject({ status: 409, code: 'state_conflict' })
    expect((await test.get(`/v1/deliveries/${id}`)).json.schedule).toBeNull()
  })

  it('of an event goes to all its endpoints, or to one created later', async () => {
    const later = await test.addEndpoint()
    const { id } = await only()
    const all = await test.post(`/v1/events/${eventId}/replay`, { body: {} })
    expect([all.status, all.json]).toEqual([202, { deliveries: [{ id, status: 'pending' }] }])
    const one = await test.post(`/v1/events/${eventId}/replay`, { body: { endpoint_id: later } })
    expect(one.json.deliveries).toMatchObject([{ status: 'pending' }])
    expect(one.json.deliveries[0].id).not.toBe(id)
    expect((await test.get(`/v1/events/${eventId}`)).json.deliveries.total).toBe(2)
  })

  it.each([
    ['an unknown endpoint', '/v1/events/EVENT/replay', { endpoint_id: 'ep_none' }, 404],
    ['an unknown event', '/v1/events/evt_test_none0000/replay', {}, 404],
    ['a misspelt field', '/v1/events/EVENT/replay', { endpoint: 'ep_none' }, 422],
  ])('of %s is refused', async (_what, path, body, status) => {
    expect((await test.post(path.replace('EVENT', eventId), { body })).status).toBe(status)
  })

  it('to the endpoint of another tenant is as if it were not there', async () => {
    const acme = await test.addKey({ tenantId: 'acme' })
    const foreign = await test.addEndpoint({}, acme)
    const key = await test.addKey({ tenantId: 'default' })
    const answer = await test.post(`/v1/events/${eventId}/replay`, { key, body: { endpoint_id: foreign } })
    expect(answer.status).toBe(404)
    expect((await test.get('/v1/deliveries', { key: acme })).json.data).toEqual([])
  })
})

describe('cancel', () => {
  it('ends a pending delivery, and again is the same', async () => {
    await record({ outcome: 'timeout', statusCode: null, verdict: { kind: 'retry', at: NOW + 1000 } })
    const { id } = await only()
    for (let time = 0; time < 2; time++) {
      const answer = await test.post(`/v1/deliveries/${id}/cancel`)
      expect([answer.status, answer.json]).toEqual([202, { deliveries: [{ id, status: 'cancelled' }] }])
    }
    expect(await only()).toMatchObject({ status: 'cancelled', reason: 'requested' })
  })

  it('of one that has ended otherwise is a conflict', async () => {
    await record({ outcome: 'delivered', statusCode: 200, verdict: { kind: 'delivered' } })
    const { id } = await only()
    expect((await test.post(`/v1/deliveries/${id}/cancel`)).json).toMatchObject({ status: 409, code: 'state_conflict' })
    expect((await test.post('/v1/deliveries/dlv_none/cancel')).status).toBe(404)
  })
})

describe('dead letters', () => {
  it('are listed until somebody discards them, with a note', async () => {
    expect((await test.get('/v1/dead-letters')).json.data).toEqual([])
    await record({ outcome: 'dns_failed', statusCode: null, verdict: dead })
    const { data } = (await test.get('/v1/dead-letters?error_code=dns_failed')).json
    expect(data).toMatchObject([{ status: 'dead_lettered', error_code: 'dns_failed', discarded_at: null, note: null }])
    const [{ id }] = data
    const discarded = await test.post(`/v1/dead-letters/${id}/discard`, { body: { note: 'known' } })
    expect(discarded.json).toMatchObject({ id, note: 'known', discarded_at: new Date(NOW).toISOString() })
    expect((await test.get('/v1/dead-letters')).json.data).toEqual([])
    const again = await test.post(`/v1/dead-letters/${id}/discard`)
    expect([again.status, again.json.note]).toEqual([200, 'known'])
    expect((await test.post(`/v1/deliveries/${id}/replay`)).status).toBe(202)
  })

  it('only dead letters can be discarded', async () => {
    const { id } = await only()
    expect((await test.post(`/v1/dead-letters/${id}/discard`)).json).toMatchObject({
      status: 409,
      code: 'state_conflict',
    })
    expect((await test.post('/v1/dead-letters/dlv_none/discard')).status).toBe(404)
    const long = await test.post(`/v1/dead-letters/${id}/discard`, { body: { note: 'x'.repeat(1001) } })
    expect(long.json).toMatchObject({ status: 422, errors: [{ path: '/note' }] })
  })
})
