import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import type { Envelope } from '@runbell/sdk/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { createEndpoint, get, post, publish, request } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

const field = (schema: object) => ({ ...schema, 'x-data-class': 'public' })
const object = (properties: object, required: string[] = []) => ({ type: 'object', properties, required })
const text = field({ type: 'string', maxLength: 200 })

const V1 = object({ amount: field({ type: 'string' }), status: field({ enum: ['open', 'paid'] }) }, [
  'amount',
  'status',
])
/** Renamed field, and a value more in a closed set. */
const V2 = object({ total: field({ type: 'string' }), status: field({ enum: ['open', 'paid', 'disputed'] }) }, [
  'total',
  'status',
])
const DOWN = [
  { op: 'rename', path: '/total', to: 'amount' },
  { op: 'map', path: '/status', values: { disputed: 'open' } },
]

const registration = (type: string, schema: object, examples: object[]) => ({
  type,
  fact: 'An invoice was drafted.',
  schema,
  examples,
})

/** As a consumer validates: unknown fields are tolerated, everything else is as the schema says. */
function reader(schema: object): ValidateFunction {
  return new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
}

describe('a producer moves to version 2', () => {
  const server = shareServer()

  test('an endpoint pinned to 1 goes on getting version 1, a new one gets 2', async () => {
    const type = 'acme.invoice.drafted'
    await post(server, '/v1/event-types', registration(type, V1, [{ amount: '84.00', status: 'open' }]))
    const before = await server.receiver(() => 204)
    const glob = await server.receiver(() => 204)
    await createEndpoint(server, before.url, type)
    await createEndpoint(server, glob.url, 'acme.*')
    await publish(server, { type, agent: { id: 'a' }, data: { amount: '1.00', status: 'open' } })

    const versions = `/v1/event-types/${type}/versions`
    const examples = [{ total: '84.00', status: 'disputed' }]
    const dropped = await request(server, 'POST', versions, { body: { version: 2, schema: V2, examples } })
    expect(dropped.status, 'without a conversion').toBe(422)
    const silent = await request(server, 'POST', versions, {
      body: { version: 2, schema: V2, examples, down_conversion: [] },
    })
    expect(silent.status, 'with one that does nothing').toBe(422)
    await post(server, versions, { version: 2, schema: V2, examples, down_conversion: DOWN })

    const after = await server.receiver(() => 204)
    const { schema_versions: pins } = await createEndpoint(server, after.url, type)
    expect(pins).toEqual({ [type]: 2 })
    const raw = '{ "total" : "84.00" ,"status":"disputed"}'
    const body = `{"type":"${type}","schema_version":2,"agent":{"id":"a"},"data":${raw}}`
    const { event_id: eventId } = await publish(server, body)
    for (const receiver of [before, glob, after]) {
      await receiver.until((received) => received.some((one) => one.eventId === eventId))
    }
    for (const receiver of [before, glob]) {
      const bodies = receiver.received.map((one) => JSON.parse(one.body.toString()) as Envelope)
      expect(bodies.map(({ schema_version }) => schema_version)).toEqual([1, 1])
      for (const { data } of bodies) expect(reader(V1)(data)).toBe(true)
      expect(receiver.received[1]?.body.toString()).toContain('"data":{ "amount" : "84.00" ,"status":"open"}}')
    }
    expect(after.received[0]?.body.toString()).toContain(`"data":${raw}}`)
    expect(JSON.parse(after.received[0]?.body.toString() ?? '')).toMatchObject({ schema_version: 2 })
  })

  test('a version that gains an optional field: the same bytes but for the new field, valid as before', async () => {
    const type = 'acme.invoice.sent'
    await post(server, '/v1/event-types', registration(type, V1, [{ amount: '84.00', status: 'open' }]))
    const seen = await get<{ versions: { schema: object }[] }>(server, `/v1/event-types/${type}`)
    const receiver = await server.receiver(() => 204)
    await createEndpoint(server, receiver.url, type)
    const eventId = 'evt_with_and_without'
    const at = { timestamp: '2026-11-23T18:02:10.120Z', agent: { id: 'a' } }
    await publish(server, { type, ...at, event_id: `${eventId}_1`, data: { amount: '1.00', status: 'paid' } })

    const extended = { ...V1, properties: { ...V1.properties, note: text } }
    const answer = await request<{ current_version: number }>(server, 'POST', `/v1/event-types/${type}/versions`, {
      body: { schema: extended, examples: [{ amount: '84.00', status: 'open', note: 'x' }] },
    })
    expect([answer.status, answer.json.current_version]).toEqual([200, 1])
    await publish(server, {
      type,
      ...at,
      event_id: `${eventId}_2`,
      data: { amount: '1.00', status: 'paid', note: 'new' },
    })
    await receiver.until((received) => received.length === 2)
    const [before, after] = ['_1', '_2'].map((end) => {
      const found = receiver.received.find((one) => one.eventId === eventId + end)
      return (found?.body.toString() ?? '').replace(/"recorded_at":"[^"]*",/, '').replace(eventId + end, eventId)
    })
    expect(after).toBe(before?.replace('}}', ',"note":"new"}}'))
    const { data } = JSON.parse(after ?? '') as Envelope
    expect(reader(seen.versions[0]?.schema as object)(data)).toBe(true)
  })

  test('a change that breaks consumers is refused in place, and named', async () => {
    const type = 'acme.invoice.paid'
    await post(server, '/v1/event-types', registration(type, V1, [{ amount: '84.00', status: 'open' }]))
    const { json } = await request<{ verdict: string; changes: { path: string; verdict: string; reason: string }[] }>(
      server,
      'POST',
      '/v1/event-types/check',
      { body: { type, schema: V2 } },
    )
    expect(json.verdict).toBe('breaking')
    expect(
      json.changes
        .filter(({ verdict }) => verdict === 'breaking')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(expect.arrayContaining(['/amount', '/status']))
    const body = { version: 1, schema: V2, examples: [{ total: '1', status: 'open' }] }
    const refused = await request(server, 'POST', `/v1/event-types/${type}/versions`, { body })
    expect(refused.status).toBe(422)
  })

  test('the schema of every type and version is served, built-in ones too', async () => {
    for (const [type, { versions }] of BUILT_IN_TYPES) {
      const served = await get<Record<string, unknown>>(server, `/schemas/${type}/1.json`, { key: null })
      expect(served['properties'], type).toEqual(versions[0]?.schema.properties)
      expect(() => reader(served), type).not.toThrow()
    }
    expect((await request(server, 'GET', '/schemas/agent.run.started/2.json', { key: null })).status).toBe(404)
  })
})
