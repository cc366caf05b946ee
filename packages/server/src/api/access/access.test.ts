import { crc32 } from 'node:zlib'
import { SCOPES, type Scope } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../store/store.ts'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

describe('authentication', () => {
  it('gives one answer for every reason a key is not accepted', async () => {
    const expired = await test.addKey({ expiresAt: test.clock.now() })
    const foreign = await (await createTestApi()).addKey()
    const wrongSecret = createWrongSecret(test.key)
    const answers = []
    for (const key of [null, 'nonsense', `${test.key}0`, expired, foreign, wrongSecret]) {
      answers.push(await test.get('/v1/events', { key }))
    }
    for (const headers of [{ authorization: test.key }, { authorization: `Basic ${test.key}` }]) {
      answers.push(await test.get('/v1/events', { key: null, headers }))
    }
    const [first] = answers
    for (const answer of answers) {
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      expect(answer.json).toEqual({ ...first?.json, request_id: answer.json.request_id })
    }
    expect(first?.json.code).toBe('unauthenticated')
  })

  it('ends on the next request after the key was revoked here', async () => {
    const key = await test.addKey({ scopes: ['read'] })
    expect((await test.get('/v1/events', { key })).status).toBe(200)
    const id = `key_test_${key.split('_')[2]}`
    expect((await test.ask('DELETE', `/v1/api-keys/${id}`)).status).toBe(204)
    expect((await test.get('/v1/events', { key })).status).toBe(401)
    expect((await test.ask('DELETE', `/v1/api-keys/${id}`)).status).toBe(404)
  })

  it('ends within a second after another node revoked the key', async () => {
    const key = await test.addKey({ scopes: ['read'] })
    await test.get('/v1/events', { key })
    const scope = { mode: 'test' as const, tenantId: null }
    await test.store.revokeApiKey({ scope, keyId: `key_test_${key.split('_')[2]}`, now: test.clock.now() })
    test.clock.advance(1000)
    expect((await test.get('/v1/events', { key })).status).toBe(401)
  })

  it('does not keep a key that was looked up while it was revoked', async () => {
    const key = await test.addKey({ scopes: ['read'] })
    const { findApiKey } = test.store
    let answerLate = () => {}
    test.store.findApiKey = async (input) => {
      const found = await findApiKey.call(test.store, input)
      await new Promise<void>((resolve) => (answerLate = resolve))
      return found
    }
    const asking = test.get('/v1/events', { key })
    await new Promise((resolve) => setImmediate(resolve))
    test.store.findApiKey = findApiKey
    await test.ask('DELETE', `/v1/api-keys/key_test_${key.split('_')[2]}`)
    answerLate()
    await asking
    expect((await test.get('/v1/events', { key })).status).toBe(401)
  })

  it('ends when the key expires, although it is in memory', async () => {
    const key = await test.addKey({ expiresAt: test.clock.now() + 500 })
    expect((await test.get('/v1/events', { key })).status).toBe(200)
    test.clock.advance(500)
    expect((await test.get('/v1/events', { key })).status).toBe(401)
  })

  it('answers 503 when the store cannot be asked', async () => {
    const key = await test.addKey()
    test.store.findApiKey = () => Promise.reject(new StoreUnavailable('unavailable', 'down'))
    const answer = await test.get('/v1/events', { key })
    expect(answer.json).toMatchObject({ status: 503, code: 'unavailable' })
    expect(answer.headers.get('retry-after')).toBe('1')
  })
})

/** The right name with another secret, and the check that belongs to both. */
function createWrongSecret(key: string): string {
  const unchecked = key.replace(/_[A-Za-z0-9]{43}_[0-9a-f]{8}$/, `_${'A'.repeat(43)}`)
  return `${unchecked}_${crc32(unchecked).toString(16).padStart(8, '0')}`
}

describe('scopes', () => {
  it.each([
    ['POST', '/v1/events', ['publish']],
    ['POST', '/v1/events/batch', ['publish']],
    ['GET', '/v1/events', ['read']],
    ['GET', '/v1/deliveries', ['read']],
    ['GET', '/v1/dead-letters', ['read']],
    ['GET', '/v1/endpoints', ['read', 'manage']],
    ['POST', '/v1/endpoints', ['manage']],
    ['GET', '/v1/endpoints/ep_1/secrets', ['manage']],
    ['POST', '/v1/events/evt_test_12345678/replay', ['replay']],
    ['POST', '/v1/deliveries/dlv_1/cancel', ['replay']],
    ['POST', '/v1/dead-letters/dlv_1/discard', ['replay']],
    ['GET', '/v1/api-keys', []],
    ['POST', '/v1/api-keys', []],
  ] as [string, string, Scope[]][])('%s %s needs one of %j, or admin', async (method, path, enough) => {
    for (const scope of SCOPES) {
      const key = await test.addKey({ scopes: [scope] })
      const { status, json } = await test.ask(method, path, { key, ...(method === 'POST' ? { body: {} } : {}) })
      const allowed = scope === 'admin' || enough.includes(scope)
      expect([scope, status === 403]).toEqual([scope, !allowed])
      if (!allowed) expect(json.code).toBe('insufficient_scope')
    }
  })
})

describe('tenants and modes', () => {
  it('every GET route hides what is of another tenant or mode, as if it were not there', async () => {
    test.slots.grant = true
    const acme = await test.addKey({ tenantId: 'acme' })
    const endpoint = await test.addEndpoint({}, acme)
    const relay = (await test.post('/v1/endpoints', { key: acme, body: { kind: 'relay' } })).json.id as string
    const event = sampleEvent({ run_id: 'run-1' })
    await test.post('/v1/events', { key: acme, body: event })
    const [delivery] = (await test.get('/v1/deliveries', { key: acme })).json.data
    await test.ask('DELETE', '/v1/api-keys/none')
    const replay = (await test.post('/v1/replays', { key: acme, body: {} })).json
    const cancelled = { type: 'agent.approval.cancelled', run_id: 'run-1', agent: { id: 'refunds' } }
    await test.post('/v1/events', {
      key: acme,
      body: { ...cancelled, data: { approval_id: 'apr-1', status: 'cancelled' } },
    })
    const names: Record<string, string> = {
      replay_id: replay.id,
      approval_id: 'apr-1',
      event_id: String(event['event_id']),
      delivery_id: delivery.id,
      endpoint_id: endpoint,
      secret_id: 'sec_none',
      key_id: 'key_none',
      type: 'agent.run.started',
      tenant_id: 'acme',
      run_id: String(event['run_id']),
    }
    await test.post('/v1/tenants', { body: { id: 'acme' } })
    // The catalog is everybody's.
    const shared = /^\/v1\/event-types/
    const outsiders = [await test.addKey({ tenantId: 'other' }), await test.addKey({ mode: 'live' })]
    const routes = test.api.routes.filter(
      ({ method, path }) => method === 'get' && path.startsWith('/v1/') && !shared.test(path),
    )
    expect(routes.length).toBeGreaterThanOrEqual(12)
    for (const { path } of routes) {
      const single = path.includes('{')
      const url = path
        .replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] as string)
        .replace(`${endpoint}/relay`, `${relay}/relay`)
      const own = await test.get(url, { key: acme })
      expect([path, own.status]).toEqual([path, 200])
      for (const key of outsiders) {
        const answer = await test.get(url, { key })
        expect([path, answer.status]).toEqual([path, single ? 404 : 200])
        expect(answer.text).not.toContain('acme')
        if (!single) continue
        const missing = path.replaceAll(/\{(\w+)\}/g, 'evt_test_missing000')
        const none = await test.get(missing, { key })
        expect(answer.json).toEqual({ ...none.json, request_id: answer.json.request_id })
      }
    }
  })

  it('a bound key may not ask for another tenant, in the query or the body', async () => {
    const key = await test.addKey({ tenantId: 'acme' })
    expect((await test.get('/v1/events?tenant_id=acme', { key })).status).toBe(200)
    const query = await test.get('/v1/events?tenant_id=other', { key })
    expect(query.json).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
      errors: [{ path: '/query/tenant_id' }],
    })
    for (const tenant_id of ['other', '*']) {
      const body = { url: 'https://receiver.test', tenant_id }
      const answer = await test.post('/v1/endpoints', { key, body })
      expect(answer.json).toMatchObject({ status: 403, errors: [{ path: '/tenant_id' }] })
    }
  })

  it('an unbound key sees all tenants, or the one it asks for', async () => {
    const [one, two] = [sampleEvent({ tenant_id: 'one' }), sampleEvent({ tenant_id: 'two' })]
    await test.post('/v1/events/batch', { body: [one, two] })
    expect((await test.get('/v1/events')).json.data).toHaveLength(2)
    const { json } = await test.get('/v1/events?tenant_id=two')
    expect(json.data.map((event: { event_id: string }) => event.event_id)).toEqual([two['event_id']])
  })

  it('an id that two tenants have is ambiguous until one is named', async () => {
    const event = sampleEvent({ tenant_id: 'one' })
    await test.post('/v1/events', { body: event })
    await test.post('/v1/events', { body: { ...event, tenant_id: 'two' } })
    const path = `/v1/events/${String(event['event_id'])}`
    expect((await test.get(path)).json).toMatchObject({ status: 409, code: 'ambiguous_id' })
    expect((await test.post(`${path}/replay`)).json).toMatchObject({ status: 409, code: 'ambiguous_id' })
    expect((await test.get(`${path}?tenant_id=two`)).json).toMatchObject({ tenant_id: 'two' })
    expect((await test.post(`${path}/replay?tenant_id=two`)).status).toBe(202)
  })
})

describe('/v1/api-keys', () => {
  it('makes a key, shows it once, lists it without it', async () => {
    const made = await test.post('/v1/api-keys', { body: { scopes: ['publish'], tenant_id: 'acme' } })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({ mode: 'test', scopes: ['publish'], tenant_id: 'acme', expires_at: null })
    expect((await test.post('/v1/events', { key: made.json.key, body: sampleEvent() })).status).toBe(202)
    const list = await test.get('/v1/api-keys?tenant_id=acme')
    expect(list.json.data).toMatchObject([{ id: made.json.id }])
    expect(list.text).not.toContain(made.json.key.slice(-52))
  })

  it.each([
    [{}, '/scopes'],
    [{ scopes: [] }, '/scopes'],
    [{ scopes: ['everything'] }, '/scopes/0'],
    [{ scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    [{ scopes: ['read'], expires_at: 'tomorrow' }, '/expires_at'],
    [{ scopes: ['read'], tenant_id: '*' }, '/tenant_id'],
    [{ scopes: ['read'], scope: 'x' }, '/scope'],
  ])('refuses %j', async (body, path) => {
    expect((await test.post('/v1/api-keys', { body })).json).toMatchObject({ status: 422, errors: [{ path }] })
  })

  it('a bound admin makes keys of its own tenant only', async () => {
    const key = await test.addKey({ tenantId: 'acme' })
    expect((await test.post('/v1/api-keys', { key, body: { scopes: ['read'] } })).json.tenant_id).toBe('acme')
    for (const tenant_id of ['other', null]) {
      expect((await test.post('/v1/api-keys', { key, body: { scopes: ['read'], tenant_id } })).status).toBe(403)
    }
  })
})
