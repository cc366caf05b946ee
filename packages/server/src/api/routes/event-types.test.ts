import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const TYPE = 'acme.order.shipped'
const text = { type: 'string', maxLength: 100, 'x-data-class': 'public' }
const schema = (properties: Record<string, unknown> = { carrier: text }, required: string[] = []) => {
  return { type: 'object', properties, required }
}
const registration = (fields: Record<string, unknown> = {}) => ({
  type: TYPE,
  fact: 'An order was shipped.',
  schema: schema(),
  examples: [{ carrier: 'DHL' }],
  ...fields,
})
const register = (fields: Record<string, unknown> = {}, key = test.key) =>
  test.post('/v1/event-types', { body: registration(fields), key })
const publish = (fields: Record<string, unknown> = {}) =>
  test.post('/v1/events', { body: sampleEvent({ type: TYPE, data: { carrier: 'DHL' }, ...fields }) })

describe('GET /v1/event-types', () => {
  it('lists the built-in types first, then your own in the order they came, over pages', async () => {
    await register()
    test.clock.advance(1)
    await register({ type: 'acme.order.lost' })
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { json } = await test.get(`/v1/event-types?limit=20${cursor === '' ? '' : `&cursor=${cursor}`}`)
      for (const { type, versions } of json.data) {
        seen.push(type)
        expect(versions[0]).not.toHaveProperty('schema')
      }
      cursor = json.next_cursor
    }
    const builtIn = [...BUILT_IN_TYPES.keys(), ...SERVICE_TYPES.keys()]
    expect(seen).toEqual([...builtIn, 'acme.invoice.drafted', TYPE, 'acme.order.lost'])
  })

  it('shows a type with its schema, classes and a sample that can be published', async () => {
    const { json } = await test.get('/v1/event-types/agent.run.started')
    expect(json).toMatchObject({ type: 'agent.run.started', origin: 'agent', run_scoped: true, current_version: 1 })
    expect(json.versions[0].schema.properties.status['x-data-class']).toBe('public')
    expect(json.versions[0].schema_url).toBe('https://runbell.test/schemas/agent.run.started/1.json')
    for (const type of ['agent.run.started', 'acme.invoice.drafted']) {
      const sample = (await test.get(`/v1/event-types/${type}/sample`)).json
      const { recorded_at: _at, sequence: _sequence, ...event } = sample
      const { status, json: answer } = await test.post('/v1/events', { body: event })
      expect([type, status, answer.warnings]).toEqual([type, 202, []])
    }
    expect((await test.get('/v1/event-types/agent.run.started/sample?version=2')).status).toBe(404)
    expect((await test.get('/v1/event-types/acme.no.such')).json.code).toBe('not_found')
  })
})

describe('POST /v1/event-types', () => {
  it('registers a type that can be published at once; sent again it changes nothing', async () => {
    expect((await publish()).json.code).toBe('unknown_event_type')
    const first = await register()
    expect([first.status, first.json.current_version, first.json.origin]).toEqual([201, 1, 'own'])
    const again = await register()
    expect([again.status, again.json]).toEqual([200, first.json])
    expect((await publish()).status).toBe(202)
    const wrong = await publish({ data: { carrier: 7 } })
    expect(wrong.json).toMatchObject({ code: 'schema_mismatch', errors: [{ path: '/data/carrier' }] })
  })

  it('is a conflict where there is another type of this name', async () => {
    await register()
    for (const change of [{ fact: 'Something else.' }, { schema: schema({ other: text }) }, { enforcement: 'warn' }]) {
      expect((await register(change)).json).toMatchObject({ status: 409, code: 'state_conflict' })
    }
  })

  it.each([
    [{ type: 'agent.order.shipped' }, '/type', 'acme.order.shipped'],
    [{ type: 'acme.send_email' }, '/type', 'acme.email.sent'],
    [{ type: 'acme.order' }, '/type', ''],
    [{ type: `acme.${'x'.repeat(96)}ed` }, '/type', ''],
    [{ schema: schema({ carrier: { type: 'string' } }) }, '/schema/properties/carrier', 'x-data-class'],
    [
      { schema: schema({ carrier: { ...text, 'x-data-class': 'prompt' } }, ['carrier']) },
      '/schema/properties/carrier',
      'required',
    ],
    [{ schema: { $ref: 'https://schemas.test/order.json' } }, '/schema', ''],
    [{ schema: schema({ carrier: { ...text, pattern: '(?=a)b' } }) }, '/schema/properties/carrier/pattern', ''],
    [{ schema: schema({ carrier: { ...text, pattern: '(a+)+\\1' } }) }, '/schema/properties/carrier/pattern', ''],
    [{ schema: schema({ carrier: { ...text, 'x-data-class': 'credential' } }) }, '/schema/properties/carrier', ''],
    [{ examples: [] }, '/examples', ''],
    [{ examples: [{ carrier: 1 }] }, '/examples/0/carrier', ''],
    [{ examples: [{ carrier: 'DHL', more: 1 }] }, '/examples/0', ''],
    [{ fact: 'Two\nlines' }, '/fact', ''],
    [{ schema: schema(Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`f${n}`, text]))) }, '/schema', ''],
  ])('refuses %o at %s', async (fields, path, suggested) => {
    const { status, json, text: answer } = await register(fields)
    expect([status, json.code]).toEqual([422, 'invalid_request'])
    expect(json.errors.map((error: { path: string }) => error.path).some((at: string) => at.startsWith(path))).toBe(
      true,
    )
    expect(answer).toContain(suggested)
    expect(json.suggested_fix.length).toBeGreaterThan(5)
    expect((await test.get(`/v1/event-types/${'type' in fields ? fields.type : TYPE}`)).status).toBe(404)
  })

  it('runs a pattern in time that grows with the text, whatever the pattern', async () => {
    const pattern = '^(a+)+$'
    await register({
      schema: schema({ carrier: { ...text, maxLength: 100_000, pattern } }),
      examples: [{ carrier: 'a' }],
    })
    const startedAt = performance.now()
    const { json } = await publish({ data: { carrier: `${'a'.repeat(50_000)}!` } })
    expect(json.code).toBe('schema_mismatch')
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })

  it('needs the scope manage and a key that is bound to no tenant', async () => {
    const publisher = await test.addKey({ scopes: ['publish'] })
    const bound = await test.addKey({ scopes: ['admin'], tenantId: 'acme' })
    for (const key of [publisher, bound]) {
      expect((await register({}, key)).json).toMatchObject({ status: 403, code: 'insufficient_scope' })
      const settings = { key, body: { enforcement: 'warn' } }
      expect((await test.ask('PATCH', '/v1/event-types/agent.run.started', settings)).status).toBe(403)
    }
  })

  it('keeps live and test apart', async () => {
    await register()
    const live = await test.addKey({ mode: 'live' })
    expect((await test.get(`/v1/event-types/${TYPE}`, { key: live })).status).toBe(404)
    const event = { type: TYPE, agent: { id: 'a' }, data: {} }
    expect((await test.post('/v1/events', { key: live, body: event })).json.code).toBe('unknown_event_type')
  })

  it('lets one of two who register different types of one name at the same time win', async () => {
    const answers = await Promise.all([register(), register({ schema: schema({ other: text }), examples: [{}] })])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]))
  })
})

describe('PATCH /v1/event-types/{type}', () => {
  it('makes a built-in type lenient: what does not match is taken with warnings, and cut where it is unknown', async () => {
    const event = { type: 'agent.run.started', run_id: 'r', data: { status: 'runing' } }
    expect((await publish(event)).json.code).toBe('schema_mismatch')
    const { json } = await test.ask('PATCH', '/v1/event-types/agent.run.started', { body: { enforcement: 'warn' } })
    expect(json).toMatchObject({ enforcement: 'warn', lifecycle: 'warn', current_version: 1 })
    const { status, json: answer } = await publish(event)
    expect([status, answer.warnings]).toMatchObject([202, [{ code: 'schema_mismatch', path: '/data/status' }]])
  })

  it('can have an event that breaks the order refused', async () => {
    const late = {
      type: 'agent.run.resumed',
      run_id: 'never-started',
      data: { status: 'running', resumed_after: 'approval' },
    }
    expect((await publish(late)).json.warnings).toMatchObject([{ code: 'lifecycle' }])
    await test.ask('PATCH', '/v1/event-types/agent.run.resumed', { body: { lifecycle: 'reject' } })
    expect((await publish({ ...late, run_id: 'neither' })).json).toMatchObject({ status: 409, code: 'state_conflict' })
    expect((await test.get('/v1/events?run_id=neither')).json.data).toEqual([])
  })

  it('changes the words of your own types, and no words of built-in ones', async () => {
    await register()
    const own = await test.ask('PATCH', `/v1/event-types/${TYPE}`, { body: { fact: 'It went out.' } })
    expect(own.json).toMatchObject({ fact: 'It went out.', current_version: 1 })
    const builtIn = await test.ask('PATCH', '/v1/event-types/agent.run.started', { body: { fact: 'It went out.' } })
    expect(builtIn.json).toMatchObject({ status: 422, errors: [{ path: '/fact' }] })
    expect((await test.ask('PATCH', '/v1/event-types/acme.no.such', { body: {} })).status).toBe(404)
  })
})
