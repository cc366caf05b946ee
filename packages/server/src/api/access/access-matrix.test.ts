import { SCOPES, type Scope } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi, type TestAnswer } from '../testing/test-api.ts'
import type { Route } from '../route.ts'

/*
 * Every route against every kind of key that may not use it. The routes are those that are served, and the OpenAPI document is
 * made from the same: a route that is added is looked at here on the day it is added, or fails for want of a body.
 */

let test: TestApi
let names: Record<string, string>
beforeEach(async () => {
  test = await createTestApi()
  names = await fill(test)
})

/** One of everything, of the tenant acme in test mode; by the name that stands in a path. */
async function fill(api: TestApi): Promise<Record<string, string>> {
  api.slots.grant = true
  const key = await api.addKey({ tenantId: 'acme' })
  const endpoint = await api.addEndpoint({ signing: 'both' }, key)
  const event = sampleEvent({ run_id: 'run-1' })
  await api.post('/v1/events', { key, body: event })
  const [delivery] = (await api.get('/v1/deliveries', { key })).json.data
  const [secret] = (await api.get(`/v1/endpoints/${endpoint}/secrets`, { key })).json.data
  await api.post('/v1/tenants', { body: { id: 'acme', decide_approvals: true } })
  const replay = (await api.post('/v1/replays', { key, body: {} })).json
  await api.post('/v1/events', { key, body: APPROVAL })
  return {
    event_id: String(event['event_id']),
    delivery_id: delivery.id,
    attempt_id: 'att_test_1_1',
    endpoint_id: endpoint,
    secret_id: secret.id,
    run_id: String(event['run_id']),
    key_id: `key_test_${key.split('_')[2]}`,
    tenant_id: 'acme',
    replay_id: replay.id,
    approval_id: 'apr-1',
    type: 'acme.invoice.drafted',
  }
}

/** A request that nobody waits for any more. */
const APPROVAL = {
  ...{ type: 'agent.approval.requested', run_id: 'run-1', agent: { id: 'refunds' } },
  data: {
    approval_id: 'apr-1',
    status: 'pending',
    kind: 'plan',
    summary: 'Go on?',
    summary_source: 'human',
    options: ['deny'],
  },
}

/** Bodies with which a route would do something, where an empty one does not. */
const BODIES: Record<string, unknown> = {
  publishEvent: sampleEvent(),
  publishBatch: [sampleEvent()],
  postDiagnostics: [{ name: 'model.call' }],
  eraseDiagnostics: { run_id: 'run-1' },
  createEndpoint: { url: 'https://receiver.test/' },
  commitPulled: { cursor: 'x'.repeat(32) },
  settleRelay: { status_code: 200, duration_ms: 1 },
  updateEndpoint: { description: 'Another one.' },
  updateEventType: { enforcement: 'warn' },
  createApiKey: { scopes: ['read'] },
  decideApproval: { decision: 'deny' },
  setTenant: { id: 'other' },
  createEventType: {
    type: 'acme.order.shipped',
    fact: 'It went.',
    schema: { type: 'object', 'x-data-class': 'public' },
    examples: [{}],
  },
  createEventTypeVersion: { schema: { type: 'object', 'x-data-class': 'public' }, examples: [{ total: 2 }] },
  checkEventType: { type: 'acme.order.shipped', schema: { type: 'object', 'x-data-class': 'public' } },
  deprecateEventTypeVersion: { version: 1, retires_at: '2030-01-01T00:00:00Z' },
}
/** The catalog belongs to all tenants. */
const SHARED = /^\/v1\/event-types/

const keyed = () =>
  test.api.routes.filter((route): route is Route & { scopes: readonly Scope[] } => route.scopes !== null)

function ask(route: Route, key: string | null, values: Record<string, string> = names): Promise<TestAnswer> {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? `no ${name}`)
  const body = route.bodies === undefined ? {} : { body: BODIES[route.operationId] ?? {} }
  return test.ask(route.method.toUpperCase(), path, { key, ...body })
}

/** An answer without what is its own each time. */
const plain = ({ status, json }: TestAnswer) => ({ status, json: { ...json, request_id: '' } as unknown })

describe('every route', () => {
  it('is in the OpenAPI document with the scopes it asks for, and every id of a path is known here', async () => {
    const { json } = await test.get('/openapi.json', { key: null })
    expect(keyed().length).toBeGreaterThan(30)
    for (const { path, method, scopes } of keyed()) {
      expect(json.paths[path][method].description).toContain(scopes.join(' or '))
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) expect(Object.keys(names)).toContain(name)
    }
  })

  it('refuses whoever has no key that is valid, with one answer', async () => {
    const revoked = await test.addKey()
    await test.ask('DELETE', `/v1/api-keys/key_test_${revoked.split('_')[2]}`)
    const expired = await test.addKey({ expiresAt: test.clock.now() })
    const foreign = await (await createTestApi()).addKey()
    const first = plain(await test.get('/v1/events', { key: null }))
    expect(first).toMatchObject({ status: 401, json: { code: 'unauthenticated' } })
    for (const route of keyed()) {
      for (const key of [null, '', 'rb_test_x', revoked, expired, foreign]) {
        expect([route.operationId, plain(await ask(route, key))]).toEqual([route.operationId, first])
      }
    }
  })

  it('refuses a key that has every scope but those it asks for, and changes nothing', async () => {
    for (const route of keyed()) {
      const scopes = SCOPES.filter((scope) => scope !== 'admin' && !route.scopes.includes(scope))
      const { status, json } = await ask(route, await test.addKey({ scopes }))
      expect([route.operationId, status, json.code]).toEqual([route.operationId, 403, 'insufficient_scope'])
    }
    expect((await test.get(`/v1/endpoints/${names['endpoint_id']}`)).status).toBe(200)
    expect((await test.get('/v1/events')).json.data).toHaveLength(2)
  })

  it('lets each scope it names in', async () => {
    for (const route of keyed()) {
      for (const scope of route.scopes) {
        const { status } = await ask(route, await test.addKey({ scopes: [scope] }), {})
        expect([route.operationId, scope, status === 401 || status === 403]).toEqual([route.operationId, scope, false])
      }
    }
  })

  it('answers for what is of another tenant or mode as for what is not there', async () => {
    const outsiders = [await test.addKey({ tenantId: 'other' }), await test.addKey({ mode: 'live' })]
    const single = keyed().filter(({ path }) => path.includes('{') && !SHARED.test(path))
    expect(single.length).toBeGreaterThan(15)
    for (const route of single) {
      for (const key of outsiders) {
        const theirs = plain(await ask(route, key))
        expect([route.operationId, theirs.status]).toEqual([route.operationId, 404])
        const missing = Object.fromEntries(Object.keys(names).map((name) => [name, 'evt_test_missing000']))
        expect([route.operationId, theirs]).toEqual([route.operationId, plain(await ask(route, key, missing))])
      }
    }
    // And nothing of it was changed by asking.
    expect((await test.get(`/v1/endpoints/${names['endpoint_id']}`)).json.status).toBe('enabled')
    expect((await test.get(`/v1/endpoints/${names['endpoint_id']}/secrets`)).json.data).toHaveLength(2)
  })

  it('shows no list to another tenant or mode that has anything of acme in it', async () => {
    const outsiders = [await test.addKey({ tenantId: 'other' }), await test.addKey({ mode: 'live' })]
    const lists = keyed().filter(({ path, method }) => method === 'get' && !path.includes('{') && !SHARED.test(path))
    expect(lists.length).toBeGreaterThan(5)
    for (const route of lists) {
      for (const key of outsiders) {
        const { status, text } = await ask(route, key)
        expect([route.operationId, status]).toEqual([route.operationId, 200])
        for (const id of Object.values(names)) {
          if (id !== names['type']) expect([route.operationId, text.includes(id)]).toEqual([route.operationId, false])
        }
      }
    }
  })

  it('that changes something leaves an entry in the audit log', async () => {
    const changing = keyed().filter(
      ({ method, path }) => method !== 'get' && !/^.v1.(events(.batch)?|diagnostics|otlp.*)$|check$/.test(path),
    )
    const undone: string[] = []
    for (const { operationId } of changing) {
      test = await createTestApi()
      names = await fill(test)
      const prelude = operationId === 'resumeEndpoint' ? 'pause' : operationId === 'enableEndpoint' ? 'disable' : null
      if (prelude !== null) await test.post(`/v1/endpoints/${names['endpoint_id']}/${prelude}`)
      const before = (await test.get('/v1/audit-log')).json.data.length
      const route = test.api.routes.find((one) => one.operationId === operationId) as Route
      const { status } = await ask(route, test.key)
      const added = (await test.get('/v1/audit-log')).json.data.length - before
      if (status < 300) expect([operationId, added > 0]).toEqual([operationId, true])
      else undone.push(operationId)
    }
    expect(changing.length).toBeGreaterThan(15)
    // What could not be done in this state leaves none; each has a test of its own.
    expect(undone).toEqual([
      'discardDeadLetter',
      'pullDeliveries',
      'commitPulled',
      'settleRelay',
      'deleteSecret',
      'deprecateEventTypeVersion',
    ])
  })

  it('refuses a key of one tenant that names another, in the query', async () => {
    const key = await test.addKey({ tenantId: 'acme' })
    for (const route of keyed()) {
      if (route.query?.shape['tenant_id'] === undefined) continue
      const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '')
      const body = route.bodies === undefined ? {} : { body: BODIES[route.operationId] ?? {} }
      const { status, json } = await test.ask(route.method.toUpperCase(), `${path}?tenant_id=other`, { key, ...body })
      expect([route.operationId, status, json.code]).toEqual([route.operationId, 403, 'insufficient_scope'])
    }
  })
})
