import { beforeEach, describe, expect, it } from 'vitest'
import { sealAll } from '../../audit/seal.ts'
import { createTestApi, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const TYPE = 'acme.invoice.drafted'
let made = 0
async function publish(data: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const eventId = `evt_test_filter${String(++made).padStart(6, '0')}`
  const body = { type: TYPE, event_id: eventId, agent: { id: 'a' }, data, ...more }
  const { status, json } = await test.post('/v1/events', { body })
  expect(status).toBe(202)
  return { eventId, deliveries: json.deliveries as number }
}

const create = (filter: unknown, more: Record<string, unknown> = {}) =>
  test.post('/v1/endpoints', { body: { url: 'https://receiver.test/', event_types: [TYPE], filter, ...more } })
const check = (id: string, body: unknown = {}, key = test.key) =>
  test.post(`/v1/endpoints/${id}/filter/check`, { body, key })

describe('an endpoint with a filter', () => {
  it('gets deliveries of what matches only, and a changed filter holds from the next event on', async () => {
    const { status, json } = await create({ '/data/total': { gte: 100 } })
    expect([status, json.filter, json.warnings]).toEqual([201, { '/data/total': { gte: 100 } }, undefined])
    expect((await publish({ total: 99 })).deliveries).toBe(0)
    expect((await publish({ total: 100 })).deliveries).toBe(1)
    const patched = await test.ask('PATCH', `/v1/endpoints/${json.id}`, { body: { filter: { '/data/total': 99 } } })
    expect(patched.json.filter).toEqual({ '/data/total': 99 })
    expect((await publish({ total: 99 })).deliveries).toBe(1)
    expect((await publish({ total: 100 })).deliveries).toBe(0)
    await test.ask('PATCH', `/v1/endpoints/${json.id}`, { body: { filter: null } })
    expect((await publish({ total: 100 })).deliveries).toBe(1)
  })

  it('does not change what another one without gets', async () => {
    await create({ '/data/total': 1 })
    await create(null)
    expect((await publish({ total: 2 })).deliveries).toBe(1)
    expect((await publish({ total: 1 })).deliveries).toBe(2)
  })
})

describe('a filter that names what it may not', () => {
  it.each([
    [{ '/data/input/card': 'x' }, 'agent.tool_call.*', /class tool_input in agent.tool_call/],
    [{ '/data/summary': { prefix: 'x' } }, 'agent.tool_call.completed', /class summary/],
    [{ '/data/error': { exists: true } }, 'agent.tool_call.failed', /fields have classes of their own/],
    [{ '/agent/name': 'x' }, '*', /class operational/],
    [{ '/data/total': { regex: 'x' } }, TYPE, /no operator/],
    ['x', TYPE, /object of conditions/],
  ])('%j for %s is refused with the reason', async (filter, types, message) => {
    const { status, json } = await create(filter, { event_types: [types] })
    expect([status, json.code]).toEqual([422, 'invalid_request'])
    expect(json.errors[0].message).toMatch(message)
    expect(json.errors[0].path).toMatch(/^\/filter/)
    expect((await test.get('/v1/endpoints')).json.data).toEqual([])
  })

  it('is refused also when it is changed, and when the types are', async () => {
    const created = await create({ '/data/input': { exists: true } })
    expect(created.json.warnings).toBeUndefined()
    const path = `/v1/endpoints/${created.json.id}`
    const types = await test.ask('PATCH', path, { body: { event_types: ['agent.tool_call.started'] } })
    expect([types.status, types.json.errors[0].path]).toEqual([422, '/filter/~1data~1input'])
    const filter = await test.ask('PATCH', path, { body: { filter: { any: [] } } })
    expect([filter.status, filter.json.errors[0].path]).toEqual([422, '/filter/any'])
  })

  it('and no type has, is warned of', async () => {
    const { status, json } = await create({ '/data/stauts': 'failed' }, { event_types: ['agent.tool_call.*'] })
    expect(status).toBe(201)
    expect(json.warnings).toMatchObject([{ code: 'filter_field', path: '/filter/~1data~1stauts' }])
  })
})

describe('trying a filter', () => {
  it('tells how many of the last 200 would have matched, before it is saved', async () => {
    const { id } = (await create(null)).json
    const events: string[] = []
    for (let total = 0; total < 210; total++) events.push((await publish({ total })).eventId)
    const filter = { '/data/total': { gte: 205 }, '/metadata/x': { exists: false } }
    const { status, json } = await check(id, { filter })
    expect(status).toBe(200)
    expect(json).toMatchObject({ endpoint_id: id, filter, warnings: [], event: null })
    expect(json.events).toEqual({ looked_at: 200, matched: 5, payload_gone: 0, since: expect.stringMatching(/Z$/) })
    expect(json.examples.matched).toEqual(events.slice(205).toReversed())
    expect(json.examples.not_matched).toEqual(events.slice(200, 205).toReversed())
    expect((await test.get(`/v1/endpoints/${id}`)).json.filter).toBeNull()
    expect((await check(id)).json.events).toMatchObject({ looked_at: 200, matched: 200 })
  }, 30_000)

  it('explains one event, condition by condition, with the saved filter', async () => {
    const { id } = (await create({ '/data/total': { gt: 5 }, not: { '/data/currency': 'EUR' } })).json
    const { eventId } = await publish({ total: 7, currency: 'EUR' })
    const { json } = await check(id, { event_id: eventId })
    expect(json.event).toEqual({
      ...{ event_id: eventId, type: TYPE, subscribed: true, matched: false },
      conditions: [
        { path: '/filter/~1data~1total', field: '/data/total', holds: true, found: 'value', value: 7 },
        { path: '/filter/not/~1data~1currency', field: '/data/currency', holds: true, found: 'value', value: 'EUR' },
      ],
    })
  })

  it('is for keys that manage, looks at one tenant, and puts each look on record', async () => {
    const { id } = (await create(null, { tenant_id: 'acme' })).json
    const { eventId: own } = await publish({ total: 1 }, { tenant_id: 'acme' })
    const { eventId: other } = await publish({ total: 1 }, { tenant_id: 'other' })
    expect((await check(id)).json.events.looked_at).toBe(1)
    expect((await check(id, { event_id: other })).status).toBe(404)
    expect((await check(id, {}, await test.addKey({ scopes: ['read'] }))).status).toBe(403)
    expect((await check(id, {}, await test.addKey({ tenantId: 'other' }))).status).toBe(404)
    await sealAll(test.store, test.context.views)
    const views = (await test.get('/v1/audit-log?action=payload.viewed')).json.data as { target: string }[]
    expect(views.map(({ target }) => target)).toEqual([own])
  })

  it('skips what was erased, and says so', async () => {
    const { id } = (await create(null)).json
    const { eventId } = await publish({ total: 1 })
    await publish({ total: 2 })
    await test.post(`/v1/events/${eventId}/erase`, { body: {} })
    expect((await check(id)).json.events).toMatchObject({ looked_at: 1, matched: 1, payload_gone: 1 })
    expect((await check(id, { event_id: eventId })).status).toBe(410)
  })
})
