import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
  await test.post('/v1/event-types', {
    body: { type: TYPE, fact: 'An order was shipped.', schema: V1, examples: [{ carrier: 'DHL' }] },
  })
})

const TYPE = 'acme.order.shipped'
const text = { type: 'string', maxLength: 100, 'x-data-class': 'public' }
const V1 = { type: 'object', properties: { carrier: text }, required: ['carrier'] }
const V2 = { type: 'object', properties: { shipper: text }, required: ['shipper'] }
const DOWN = [{ op: 'rename', path: '/shipper', to: 'carrier' }]

const version = (body: Record<string, unknown>) => test.post(`/v1/event-types/${TYPE}/versions`, { body })
const second = () => version({ version: 2, schema: V2, down_conversion: DOWN, examples: [{ shipper: 'DHL' }] })
const check = async (body: Record<string, unknown>) =>
  (await test.post('/v1/event-types/check', { body: { type: TYPE, ...body } })).json

describe('POST /v1/event-types/{type}/versions', () => {
  it('publishes the next version, shows it, serves its schema and takes its events', async () => {
    const { status, json } = await second()
    expect([status, json.current_version, json.versions.length]).toEqual([201, 2, 2])
    expect(json.versions[1]).toMatchObject({ version: 2, down_conversion: DOWN, schema: V2 })
    expect((await second()).status).toBe(200)
    const served = await test.get(`/schemas/${TYPE}/2.json`, { key: null })
    expect(served.headers.get('content-type')).toBe('application/schema+json')
    expect(served.json).toMatchObject({ ...V2, $id: `https://runbell.test/schemas/${TYPE}/2.json` })
    const event = sampleEvent({ type: TYPE, schema_version: 2, data: { shipper: 'DHL' } })
    expect((await test.post('/v1/events', { body: event })).json.warnings).toEqual([])
    const old = sampleEvent({ type: TYPE, data: { carrier: 'DHL' } })
    expect((await test.post('/v1/events', { body: old })).json.warnings).toEqual([])
  })

  it.each([
    ['without a conversion', { down_conversion: undefined }, '/down_conversion'],
    ['with one that does nothing', { down_conversion: [] }, '/examples/0'],
    ['with one that cannot be read', { down_conversion: [{ op: 'eval', code: '1' }] }, '/down_conversion/0'],
    ['out of turn', { version: 3 }, '/version'],
    ['in place of the first', { version: 1 }, '/data'],
  ])('refuses a version %s', async (_name, change, path) => {
    const body = { version: 2, schema: V2, down_conversion: DOWN, examples: [{ shipper: 'DHL' }], ...change }
    const { status, json } = await version(body)
    expect(status).toBe(422)
    expect(json.errors.map((error: { path: string }) => error.path).join(' ')).toContain(path)
    expect((await test.get(`/v1/event-types/${TYPE}`)).json.current_version).toBe(1)
  })

  it('gives one version to two who publish different ones at the same time', async () => {
    const other = { ...V2, properties: { shipper: { ...text, maxLength: 50 } } }
    const body = { version: 2, schema: other, down_conversion: DOWN, examples: [{ shipper: 'UPS' }] }
    const answers = await Promise.all([second(), version(body)])
    const statuses = answers.map(({ status }) => status)
    expect(statuses).toContain(201)
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
  })

  it('is not for built-in types', async () => {
    const body = { schema: V1, examples: [{ carrier: 'x' }] }
    expect((await test.post('/v1/event-types/agent.run.started/versions', { body })).status).toBe(422)
    expect((await test.post('/v1/event-types/acme.no.such/versions', { body })).status).toBe(404)
  })
})

describe('POST /v1/event-types/check', () => {
  it.each([
    ['unchanged', V1],
    ['additive', { ...V1, properties: { ...V1.properties, note: text } }],
    ['breaking', V2],
  ])('says %s', async (verdict, schema) => {
    const answer = await check({ schema })
    expect(answer).toMatchObject({ verdict, version: 1 })
    expect(answer.changes.length > 0).toBe(verdict !== 'unchanged')
    for (const { reason } of answer.changes) expect(reason.split(' ').length).toBeGreaterThan(3)
    expect((await test.get(`/v1/event-types/${TYPE}`)).json.versions).toHaveLength(1)
  })

  it('says of a new type what registering it would refuse', async () => {
    const answer = await check({ type: 'acme.send_parcel', schema: V1 })
    expect(answer).toMatchObject({ verdict: 'new', errors: [{ path: '/type' }] })
    const good = await check({ type: 'acme.parcel.sent', schema: V1, examples: [{ carrier: 'DHL' }] })
    expect(good).toMatchObject({ verdict: 'new', changes: [], errors: [] })
  })

  it('compares with a built-in type, too', async () => {
    const { versions } = (await test.get('/v1/event-types/agent.run.queued')).json
    expect((await check({ type: 'agent.run.queued', schema: versions[0].schema })).verdict).toBe('unchanged')
  })
})

describe('POST /v1/event-types/{type}/deprecate', () => {
  const deprecate = (body: Record<string, unknown>) => test.post(`/v1/event-types/${TYPE}/deprecate`, { body })

  it('lists who is pinned, warns producers until the date, and refuses them from then on', async () => {
    const pinned = await test.addEndpoint({ event_types: [TYPE] })
    const glob = await test.addEndpoint({ event_types: ['acme.*'] })
    await second()
    const later = await test.addEndpoint({ event_types: [TYPE] })
    await test.addEndpoint({ event_types: ['agent.*'] })
    const retires_at = new Date(test.clock.now() + 86_400_000).toISOString()
    const { status, json } = await deprecate({ version: 1, retires_at, note: 'Use shipper.' })
    expect(status).toBe(200)
    expect(json.pinned.data.map(({ endpoint_id: id }: { endpoint_id: string }) => id).toSorted()).toEqual(
      [pinned, glob].toSorted(),
    )
    expect(json.versions[0]).toMatchObject({ retires_at, note: 'Use shipper.' })
    const second2 = await test.get(`/v1/event-types/${TYPE}/pinned?version=2`)
    expect(second2.json.data).toMatchObject([{ endpoint_id: later, version: 2 }])
    const old = () => sampleEvent({ type: TYPE, data: { carrier: 'DHL' } })
    expect((await test.post('/v1/events', { body: old() })).json.warnings).toMatchObject([
      { code: 'version_deprecated' },
    ])
    test.clock.advance(86_400_001)
    expect((await test.post('/v1/events', { body: old() })).json).toMatchObject({
      status: 422,
      errors: [{ path: '/schema_version' }],
    })
  })

  it('pages through those who are pinned', async () => {
    const ids = []
    for (let n = 0; n < 5; n++) ids.push(await test.addEndpoint({ event_types: [n === 2 ? 'agent.*' : TYPE] }))
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query = `version=1&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
      const { json } = await test.get(`/v1/event-types/${TYPE}/pinned?${query}`)
      seen.push(...json.data.map(({ endpoint_id: id }: { endpoint_id: string }) => id))
      cursor = json.next_cursor
    }
    expect(seen).toEqual(ids.toSpliced(2, 1).toReversed())
  })

  it.each([
    [{ version: 1, retires_at: '2027-01-01T00:00:00Z' }, '/version'],
    [{ version: 7, retires_at: '2027-01-01T00:00:00Z' }, '/version'],
    [{ version: 1, retires_at: 'soon' }, '/retires_at'],
  ])('refuses %j', async (body, path) => {
    expect((await deprecate(body)).json).toMatchObject({ status: 422, errors: [{ path }] })
  })

  it('refuses a date that has passed', async () => {
    await second()
    const past = { version: 1, retires_at: '2026-01-01T00:00:00Z' }
    expect((await deprecate(past)).json).toMatchObject({ status: 422, errors: [{ path: '/retires_at' }] })
  })
})

describe('an endpoint', () => {
  const shown = async (id: string) => (await test.get(`/v1/endpoints/${id}`)).json.schema_versions

  it('is pinned to what is current when it subscribes, and keeps that', async () => {
    const early = await test.addEndpoint({ event_types: [TYPE] })
    await second()
    const late = await test.addEndpoint({ event_types: [TYPE] })
    const glob = await test.addEndpoint({ event_types: ['*'] })
    const asked = await test.addEndpoint({ event_types: [TYPE], schema_versions: { [TYPE]: 1 } })
    expect(await Promise.all([early, late, glob, asked].map(shown))).toEqual([
      { [TYPE]: 1 },
      { [TYPE]: 2 },
      { [TYPE]: 2 },
      { [TYPE]: 1 },
    ])
  })

  it('keeps its pin while it stays subscribed, and is moved when it asks', async () => {
    const id = await test.addEndpoint({ event_types: [TYPE] })
    const patch = (body: Record<string, unknown>) => test.ask('PATCH', `/v1/endpoints/${id}`, { body })
    await second()
    await patch({ event_types: ['acme.*'] })
    expect(await shown(id)).toEqual({})
    await patch({ event_types: [TYPE, 'agent.*'] })
    expect(await shown(id)).toEqual({ [TYPE]: 1 })
    await patch({ schema_versions: { [TYPE]: 2 } })
    expect(await shown(id)).toEqual({ [TYPE]: 2 })
    await patch({ event_types: ['agent.*'] })
    expect(await shown(id)).toEqual({})
    await patch({ event_types: ['acme.*'] })
    expect(await shown(id)).toEqual({ [TYPE]: 2 })
  })
})
