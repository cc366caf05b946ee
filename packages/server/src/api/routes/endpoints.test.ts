import { createPublicKey, verify } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const create = (fields: Record<string, unknown> = {}) =>
  test.post('/v1/endpoints', { body: { url: 'https://receiver.test/hook', ...fields } })
const stored = async (id: string) => {
  const scope = { mode: 'test' as const, tenantId: null }
  return await test.store.findEndpoint({ scope, endpointId: id })
}

describe('POST /v1/endpoints', () => {
  it('makes an endpoint with the defaults and shows its secret once', async () => {
    const { status, json } = await create()
    expect(status).toBe(201)
    expect(json).toMatchObject({
      tenant_id: 'default',
      mode: 'test',
      kind: 'http',
      event_types: ['*'],
      filter: null,
      format: 'runbell',
      headers: {},
      timeout_ms: 15_000,
      rate_limit: null,
      ordering: 'none',
      signing: 'hmac',
      status: 'enabled',
    })
    expect(json.id).toMatch(/^ep_test_[0-9a-z]{26}$/)
    expect(json.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(json).not.toHaveProperty('public_key')
    expect(json.retry_schedule).toHaveLength(10)
    const again = await test.get(`/v1/endpoints/${json.id}`)
    expect(again.text).not.toContain('whsec_')
    const { secret: _secret, ...rest } = json
    expect(again.json).toEqual(rest)
    expect(test.wakes).toMatchObject([{ configVersion: expect.any(Number) }])
  })

  it.each([
    ['ed25519', ['public_key']],
    ['both', ['secret', 'public_key']],
  ])('signing %s shows %j and never the private key', async (signing, shown) => {
    const { json, text } = await create({ signing })
    expect(Object.keys(json)).toEqual(expect.arrayContaining(shown))
    expect('secret' in json).toBe(shown.includes('secret'))
    expect(json.public_key).toMatch(/^whpk_/)
    expect(text).not.toContain('whsk_')
  })

  it('an ed25519 public key belongs to the stored private key', async () => {
    const { json } = await create({ signing: 'ed25519' })
    const { signWebhook } = await import('@runbell/sdk/signing')
    const row = await stored(json.id)
    const body = new TextEncoder().encode('{}')
    const header = await signWebhook({
      id: 'evt_12345678',
      timestamp: 1,
      body,
      secrets: [row?.secrets[0]?.value as string],
    })
    const spki = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(json.public_key.slice(5), 'base64'),
    ])
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const signature = Buffer.from(header.slice('v1a,'.length), 'base64')
    expect(verify(null, Buffer.from('evt_12345678.1.{}'), key, signature)).toBe(true)
  })

  it('keeps header values and never shows them', async () => {
    const { json } = await create({ headers: { authorization: 'Bearer s3cret', 'X-Team': 'a b' } })
    expect(json.headers).toEqual({ authorization: '•••', 'X-Team': '•••' })
    expect((await stored(json.id))?.headers).toEqual({ authorization: 'Bearer s3cret', 'X-Team': 'a b' })
  })

  it.each([
    [{ url: 'http://receiver.test' }, 'url_not_allowed', '/url'],
    [{ url: '' }, 'invalid_request', '/url'],
    [{ url: undefined }, 'invalid_request', '/url'],
    [{ url: 7 }, 'invalid_request', '/url'],
    [{ headers: { Host: 'x' } }, 'header_not_allowed', '/headers/Host'],
    [{ headers: { 'Content-Type': 'x' } }, 'header_not_allowed', '/headers/Content-Type'],
    [{ headers: { 'webhook-id': 'x' } }, 'header_not_allowed', '/headers/webhook-id'],
    [{ headers: { 'runbell-x': 'x' } }, 'header_not_allowed', '/headers/runbell-x'],
    [{ headers: { 'transfer-encoding': 'x' } }, 'header_not_allowed', '/headers/transfer-encoding'],
    [{ headers: { Cookie: 'x' } }, 'header_not_allowed', '/headers/Cookie'],
    [{ headers: { 'a b': 'x' } }, 'header_not_allowed', '/headers/a b'],
    [{ headers: { 'a/b~': 'x' } }, 'header_not_allowed', '/headers/a~1b~0'],
    [{ headers: { a: 'x\r\ny: z' } }, 'header_not_allowed', '/headers/a'],
    [{ headers: { a: 'é' } }, 'header_not_allowed', '/headers/a'],
    [{ headers: { a: '•••' } }, 'header_not_allowed', '/headers/a'],
    [{ headers: { a: '1', A: '2' } }, 'header_not_allowed', '/headers/A'],
    [{ headers: { a: 'x'.repeat(17_000) } }, 'header_not_allowed', '/headers'],
    [{ headers: { a: 1 } }, 'invalid_request', '/headers/a'],
    [{ event_types: ['agent.*', 'Agent.Run'] }, 'invalid_request', '/event_types/1'],
    [{ event_types: 'agent.*' }, 'invalid_request', '/event_types'],
    [{ retry_schedule: [1000, -1] }, 'invalid_request', '/retry_schedule'],
    [{ retry_schedule: [1.5] }, 'invalid_request', '/retry_schedule'],
    [{ retry_schedule: Array.from({ length: 30 }, () => 1) }, 'invalid_request', '/retry_schedule'],
    [{ timeout_ms: 999 }, 'invalid_request', '/timeout_ms'],
    [{ timeout_ms: 60_001 }, 'invalid_request', '/timeout_ms'],
    [{ max_in_flight: 0 }, 'invalid_request', '/max_in_flight'],
    [{ max_in_flight: 1001 }, 'invalid_request', '/max_in_flight'],
    [{ rate_limit: 0 }, 'invalid_request', '/rate_limit'],
    [{ rate_limit: 1.5 }, 'invalid_request', '/rate_limit'],
    [{ rate_limit: 10_001 }, 'invalid_request', '/rate_limit'],
    [{ ordering: 'strict' }, 'invalid_request', '/ordering'],
    [{ kind: 'pull' }, 'invalid_request', '/url'],
    [{ kind: 'relay', url: undefined, retry_schedule: [1000] }, 'invalid_request', '/retry_schedule'],
    [{ kind: 'fax' }, 'invalid_request', '/kind'],
    [{ format: 'mcp_event' }, 'invalid_request', '/format'],
    [{ data_classes: ['credential'] }, 'invalid_request', '/data_classes'],
    [{ data_classes: ['prompts'] }, 'invalid_request', '/data_classes/0'],
    [{ schema_versions: { 'agent.run.started': 2 } }, 'invalid_request', '/schema_versions/agent.run.started'],
    [{ schema_versions: { 'acme.invoice.lost': 1 } }, 'invalid_request', '/schema_versions/acme.invoice.lost'],
    [{ schema_versions: { 'agent.run.started': 0 } }, 'invalid_request', '/schema_versions/agent.run.started'],
    [{ signing: 'rsa' }, 'invalid_request', '/signing'],
    [{ tenant_id: 'a\u0000b' }, 'invalid_request', '/tenant_id'],
    [{ evnt_types: [] }, 'invalid_request', '/evnt_types'],
    [{ constructor: 1 }, 'invalid_request', '/constructor'],
  ])('refuses %j with %s', async (fields, code, path) => {
    const { status, json } = await create(fields)
    expect([status, json.code]).toEqual([422, code])
    expect(json.errors).toContainEqual({ path, message: expect.any(String) })
    expect(json.suggested_fix.length).toBeGreaterThan(5)
    expect((await test.get('/v1/endpoints')).json.data).toEqual([])
  })

  it.each([
    ['of the body', '{"url":"https://receiver.test","__proto__":{"a":1}}', '/__proto__'],
    ['of the headers', '{"url":"https://receiver.test","headers":{"__proto__":"x"}}', '/headers/__proto__'],
  ])('refuses a member __proto__ %s, which would get lost', async (_where, raw, path) => {
    expect((await test.post('/v1/endpoints', { raw })).json).toMatchObject({ status: 422, errors: [{ path }] })
  })

  it('names all that is wrong at once and suggests the field that was meant', async () => {
    const { json } = await create({ timeout_ms: 1, evnt_types: [] })
    expect(json.errors).toHaveLength(2)
    expect(json.errors.find(({ path }: { path: string }) => path === '/evnt_types').message).toContain('event_types')
  })

  it.each([
    ['malformed_json', 400, '{'],
    ['duplicate_key', 400, '{"url":"a","url":"b"}'],
    ['too_deep', 400, `{"url":${'['.repeat(40)}${']'.repeat(40)}}`],
    ['invalid_request', 422, '[]'],
    ['payload_too_large', 413, ' '.repeat(70_000)],
  ])('answers %s as publishing does', async (code, status, raw) => {
    expect((await test.post('/v1/endpoints', { raw })).json).toMatchObject({ code, status })
  })

  it('refuses another content type', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect((await test.post('/v1/endpoints', { body: {}, headers })).json).toMatchObject({ status: 415 })
  })

  it('refuses one endpoint more than a tenant may have', async () => {
    test.context.limits.endpointsPerTenant = 1
    expect((await create()).status).toBe(201)
    expect((await create()).json).toMatchObject({ status: 429, code: 'quota_exceeded' })
    expect((await create({ tenant_id: 'other' })).status).toBe(201)
  })

  it('takes one for all tenants from a key that is bound to none', async () => {
    expect((await create({ tenant_id: '*' })).json.tenant_id).toBe('*')
  })

  it('takes what it shows', async () => {
    const { json } = await create()
    const { url, description, event_types, filter, data_classes, schema_versions, format, kind, ordering } = json
    const shown = { url, description, event_types, filter, data_classes, schema_versions, format, kind, ordering }
    expect((await test.post('/v1/endpoints', { body: shown })).status).toBe(201)
  })
})

describe('PATCH and DELETE /v1/endpoints/{id}', () => {
  it('changes what is sent and keeps the rest', async () => {
    const { json } = await create({ description: 'first', timeout_ms: 2000 })
    test.wakes.length = 0
    test.clock.advance(5)
    const { status, json: changed } = await test.ask('PATCH', `/v1/endpoints/${json.id}`, {
      body: { description: '', rate_limit: 5, event_types: ['agent.*'], url: 'https://receiver.test/HOOK' },
    })
    expect(status).toBe(200)
    expect(changed).toMatchObject({
      description: '',
      rate_limit: 5,
      timeout_ms: 2000,
      url: 'https://receiver.test/HOOK',
    })
    expect(changed.updated_at > json.updated_at).toBe(true)
    expect(changed).not.toHaveProperty('secret')
    expect(test.wakes).toMatchObject([{ endpointIds: [json.id], configVersion: expect.any(Number) }])
  })

  it('replaces headers, where ••• keeps a value', async () => {
    const { json } = await create({ headers: { authorization: 'secret', gone: 'x' } })
    const body = { headers: { authorization: '•••', added: 'y' } }
    expect((await test.ask('PATCH', `/v1/endpoints/${json.id}`, { body })).status).toBe(200)
    expect((await stored(json.id))?.headers).toEqual({ authorization: 'secret', added: 'y' })
    const unknown = await test.ask('PATCH', `/v1/endpoints/${json.id}`, { body: { headers: { other: '•••' } } })
    expect(unknown.json.code).toBe('header_not_allowed')
  })

  it('shows the secret that a new signing scheme needs, once', async () => {
    const { json } = await create()
    const path = `/v1/endpoints/${json.id}`
    const both = await test.ask('PATCH', path, { body: { signing: 'both' } })
    expect(both.json).toMatchObject({ signing: 'both', public_key: expect.stringMatching(/^whpk_/) })
    expect(both.json).not.toHaveProperty('secret')
    const back = await test.ask('PATCH', path, { body: { signing: 'ed25519' } })
    expect(back.json).not.toHaveProperty('public_key')
    expect((await stored(json.id))?.secrets.map(({ kind }) => kind).toSorted()).toEqual(['ed25519', 'hmac'])
  })

  it.each([
    [{ tenant_id: 'x' }, '/tenant_id'],
    [{ kind: 'http' }, '/kind'],
    [{ status: 'paused' }, '/status'],
    [{ id: 'ep_1' }, '/id'],
    [{ timeout: 5 }, '/timeout'],
    [{ timeout_ms: null }, '/timeout_ms'],
  ])('refuses %j', async (body, path) => {
    const { json } = await create()
    expect((await test.ask('PATCH', `/v1/endpoints/${json.id}`, { body })).json).toMatchObject({
      status: 422,
      errors: [{ path }],
    })
  })

  it('deletes, after which it is not found', async () => {
    const { json } = await create()
    const path = `/v1/endpoints/${json.id}`
    const deleted = await test.ask('DELETE', path)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    expect((await test.get(path)).status).toBe(404)
    expect((await test.ask('DELETE', path)).status).toBe(404)
    expect((await test.ask('PATCH', path, { body: {} })).status).toBe(404)
  })

  it('lists in pages', async () => {
    const ids = [(await create()).json.id, (await create()).json.id, (await create()).json.id]
    const first = await test.get('/v1/endpoints?limit=2')
    const second = await test.get(`/v1/endpoints?limit=2&cursor=${first.json.next_cursor}`)
    const seen = [...first.json.data, ...second.json.data].map(({ id }) => id)
    expect(seen).toEqual(ids.toReversed())
    expect(second.json.next_cursor).toBeNull()
  })
})
