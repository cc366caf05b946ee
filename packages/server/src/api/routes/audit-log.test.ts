import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { AGAIN_MS } from '../../audit/view-log.ts'
import { sealAll } from '../../audit/seal.ts'
import { ChainCheck } from '../../core/audit/check-chain.ts'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
  test.slots.grant = true
})

interface Entry {
  actor: string
  action: string
  target: string
  tenant_id: string | null
  detail: Record<string, unknown>
  request_id: string | null
}

/** The newest entries, oldest first. */
async function entries(query = '', key = test.key): Promise<Entry[]> {
  await sealAll(test.store, test.context.views)
  const { json } = await test.get(`/v1/audit-log?limit=200${query}`, { key })
  return (json.data as Entry[]).toReversed()
}

const actions = async () => (await entries()).map(({ action }) => action)
const idOf = (key: string) => `key_test_${key.split('_')[2]}`

describe('the audit log', () => {
  it('has an entry for every change that was made, with who, what and which request', async () => {
    const endpoint = await test.addEndpoint({ tenant_id: 'acme', headers: { 'x-token': 'swordfish' } })
    const path = `/v1/endpoints/${endpoint}`
    const patch = { headers: { 'x-token': 'swordfish2' }, data_classes: ['prompt'], signing: 'both' }
    await test.ask('PATCH', path, { body: patch })
    for (const step of ['pause', 'resume', 'disable', 'enable']) await test.post(`${path}/${step}`)
    const rotated = await test.post(`${path}/secrets/rotate`)
    const { id: revoked } = (await test.get(`${path}/secrets`)).json.data.at(-1)
    await test.ask('DELETE', `${path}/secrets/${revoked}`)
    await test.ask('DELETE', path)
    const key = (await test.post('/v1/api-keys', { body: { scopes: ['read'] } })).json
    await test.ask('DELETE', `/v1/api-keys/${key.id}`)
    await test.post('/v1/tenants', { body: { id: 'acme', max_data_classes: ['prompt'] } })
    const all = await entries()
    expect(all.map(({ action }) => action)).toEqual([
      ...['endpoint.created', 'secret.added', 'endpoint.updated'],
      ...['endpoint.paused', 'endpoint.resumed', 'endpoint.disabled', 'endpoint.enabled'],
      ...['secret.added', 'secret.revoked', 'endpoint.deleted', 'api_key.created', 'api_key.revoked', 'tenant.updated'],
    ])
    expect(new Set(all.map(({ actor }) => actor))).toEqual(new Set([idOf(test.key)]))
    for (const one of all.slice(0, 10)) expect(one).toMatchObject({ target: endpoint, tenant_id: 'acme' })
    const classes = ['prompt', 'public', 'summary']
    expect(all[2]?.detail).toEqual({ headers: ['x-token'], data_classes: classes, signing: 'both' })
    expect(all[7]).toMatchObject({ detail: { id: rotated.json.id }, request_id: rotated.headers.get('x-request-id') })
    const text = JSON.stringify(all)
    for (const secret of ['swordfish', rotated.json.secret, key.key]) expect(text).not.toContain(secret)
  })

  it('has what was asked of the catalog, of events and of deliveries', async () => {
    const schema = { type: 'object', 'x-data-class': 'public' }
    const type = { type: 'acme.order.shipped', fact: 'It went.', schema, examples: [{}] }
    await test.post('/v1/event-types', { body: type })
    await test.post('/v1/event-types', { body: type })
    await test.ask('PATCH', '/v1/event-types/acme.order.shipped', { body: { enforcement: 'warn' } })
    const endpoint = await test.addEndpoint()
    const event = sampleEvent()
    await test.post('/v1/events', { body: event })
    const [{ id: delivery }] = (await test.get('/v1/deliveries')).json.data
    await test.post(`/v1/deliveries/${delivery}/cancel`)
    await test.post(`/v1/deliveries/${delivery}/cancel`)
    await test.post(`/v1/deliveries/${delivery}/replay`)
    await test.post(`/v1/events/${String(event['event_id'])}/replay`, { body: { endpoint_id: endpoint } })
    expect((await test.post(`/v1/dead-letters/${delivery}/discard`)).status).toBe(409)
    const all = await entries()
    expect(all.map(({ action, target }) => [action, target])).toEqual([
      ['event_type.changed', 'acme.order.shipped'],
      ['event_type.changed', 'acme.order.shipped'],
      ['endpoint.created', endpoint],
      ['delivery.cancelled', delivery],
      ['delivery.replayed', delivery],
      ['event.replayed', event['event_id']],
    ])
    expect(all[1]).toMatchObject({ tenant_id: null, detail: { outcome: 'extended', enforcement: 'warn' } })
  })

  it('has who looked at a payload, once in a quarter of an hour, and nothing where none was shown', async () => {
    const event = sampleEvent({ tenant_id: 'acme' })
    await test.post('/v1/events', { body: event })
    const [path, other] = [`/v1/events/${String(event['event_id'])}`, await test.addKey({ scopes: ['read'] })]
    await test.get('/v1/deliveries')
    await test.get(`${path}/body?endpoint_id=ep_none`)
    await test.get(`${path}0`)
    expect(await actions()).toEqual([])
    for (const look of ['/v1/events', path, `${path}/body`]) await test.get(look)
    await test.get(path, { key: other })
    test.clock.advance(AGAIN_MS)
    await test.get(`${path}/body`)
    const views = (await entries('&action=payload.viewed')).map(({ actor, target, tenant_id }) => [
      actor,
      target,
      tenant_id,
    ])
    const of = (key: string) => [idOf(key), event['event_id'], 'acme']
    expect(views).toEqual([of(test.key), of(other), of(test.key)])
  })

  it('keeps views that could not be put on record for the next time', async () => {
    await test.post('/v1/events', { body: sampleEvent() })
    await test.get('/v1/events')
    const failing = { appendAudit: () => Promise.reject(new Error('disk')), sealAudit: test.store.sealAudit }
    const { createViewLog } = await import('../../audit/view-log.ts')
    const views = createViewLog(failing)
    await views.note([{ mode: 'test', tenantId: 'a', at: 1, actor: 'k', target: 'e', requestId: null }])
    await expect(views.flush()).rejects.toThrow('disk')
    failing.appendAudit = (() => Promise.resolve()) as never
    await expect(views.flush()).resolves.toBeUndefined()
    expect(await actions()).toEqual(['payload.viewed'])
  })

  it('shows a key of one tenant what is its own, and only to admins', async () => {
    await test.addEndpoint({ tenant_id: 'acme' })
    await test.addEndpoint({ tenant_id: 'other' })
    await test.post('/v1/tenants', { body: { id: 'acme' } })
    const key = await test.addKey({ tenantId: 'acme' })
    const own = await entries('', key)
    expect(own.map(({ action, tenant_id }) => [action, tenant_id])).toEqual([
      ['endpoint.created', 'acme'],
      ['tenant.updated', 'acme'],
    ])
    const exported = (await test.get('/v1/audit-log/export', { key })).text
    expect(exported).toContain('"acme"')
    expect(exported).not.toContain('"other"')
  })

  it('is filtered by actor, action, target and time, and paged', async () => {
    const first = await test.addEndpoint()
    test.clock.advance(5000)
    await test.addEndpoint()
    await test.ask('DELETE', `/v1/endpoints/${first}`)
    const count = async (query: string) => (await entries(query)).length
    expect(await count('')).toBe(3)
    expect(await count('&action=endpoint.deleted')).toBe(1)
    expect(await count(`&target=${first}`)).toBe(2)
    expect(await count(`&actor=${idOf(test.key)}`)).toBe(3)
    expect(await count('&actor=key_other')).toBe(0)
    expect(await count(`&since=${encodeURIComponent(new Date(test.clock.now()).toISOString())}`)).toBe(2)
    const page = (await test.get('/v1/audit-log?limit=2')).json
    expect(page.data).toHaveLength(2)
    expect((await test.get(`/v1/audit-log?limit=2&cursor=${page.next_cursor}`)).json).toMatchObject({
      data: [{ target: first, action: 'endpoint.created' }],
      next_cursor: null,
    })
    expect((await test.get('/v1/audit-log?action=endpoint.exploded')).status).toBe(422)
  })

  it('is exported so that anybody can check it', async () => {
    for (let n = 0; n < 7; n++) await test.addEndpoint({ description: `line\n"quoted" \u{1F600} ${n}` })
    const answer = await test.get('/v1/audit-log/export')
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    const check = new ChainCheck({ sha256, expect: null })
    for (const line of answer.text.split('\n')) check.add(line)
    expect(check.end()).toMatchObject({ ok: true, entries: 7 })
    const after = (await test.get('/v1/audit-log/export?after=5')).text.trim().split('\n')
    expect(after.map((line) => JSON.parse(line).seq)).toEqual([6, 7])
    // As the documentation has it: with a parser and a hash function, and nothing of ours.
    let previous = '0'.repeat(64)
    for (const line of answer.text.trim().split('\n')) {
      const { seq: _seq, hash, ...rest } = JSON.parse(line)
      expect(sha256(`${previous}\n${JSON.stringify(rest)}`)).toBe(hash)
      previous = hash
    }
  })
})
