import { beforeEach, describe, expect, it } from 'vitest'
import { publishDead } from '../testing/dead-letters.ts'
import { createTestApi, putOwnType, sampleEvent, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

async function publish(count: number, fields: Record<string, unknown> = {}): Promise<string[]> {
  const events = Array.from({ length: count }, () => sampleEvent(fields))
  expect((await test.post('/v1/events/batch', { body: events })).status).toBe(202)
  return events.map((event) => String(event['event_id']))
}

describe('an export of events', () => {
  it('has every event once, oldest first, as single events are shown, and says that it is whole', async () => {
    const ids = await publish(700)
    const { headers, text } = await test.get('/v1/events/export')
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    expect(headers.get('content-disposition')).toBe('attachment; filename="events.ndjson"')
    const rows = rowsOf(text)
    expect(rows.slice(0, -1).map(({ event_id }) => event_id)).toEqual(ids)
    expect(rows.at(-1)).toEqual({ export: { complete: true, rows: 700 } })
    expect(text.split('\n')[3]).toBe((await test.get(`/v1/events/${ids[3]}`)).text)
  })

  it('goes by type, run, tenant and time, and an empty one is whole too', async () => {
    await putOwnType(test.store, 'test', 'acme.order.shipped')
    await test.context.catalogs.refresh('test')
    const [wanted] = await publish(1, { type: 'acme.order.shipped', run_id: 'run-1', tenant_id: 'acme' })
    await publish(3)
    for (const query of ['type=acme.order.*', 'run_id=run-1', 'tenant_id=acme']) {
      const rows = rowsOf((await test.get(`/v1/events/export?${query}`)).text)
      expect([query, rows.map(({ event_id }) => event_id)]).toEqual([query, [wanted, undefined]])
    }
    const at = new Date(test.clock.now() + 1).toISOString()
    expect(rowsOf((await test.get(`/v1/events/export?since=${at}`)).text)).toEqual([
      { export: { complete: true, rows: 0 } },
    ])
    for (const query of ['limit=1', 'cursor=x', 'type=Acme', 'since=never']) {
      expect((await test.get(`/v1/events/export?${query}`)).status).toBe(422)
    }
  })

  it('is cut row by row to the data classes of the key, keeps what is gone apart, and is on record', async () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', 'x-data-class': 'personal' },
        total: { type: 'number', 'x-data-class': 'public' },
      },
    }
    const type = { type: 'acme.customer.seen', fact: 'Somebody came.', schema, examples: [{ total: 1 }] }
    expect((await test.post('/v1/event-types', { body: type })).status).toBe(201)
    const [id, erased] = await publish(2, { type: 'acme.customer.seen', data: { name: 'Zoë', total: 1 } })
    await test.post(`/v1/events/${erased}/erase`)
    const key = await test.addKey({ scopes: ['read'] })
    const { text } = await test.get('/v1/events/export', { key })
    expect(text).not.toContain('Zoë')
    expect(rowsOf(text)).toMatchObject([
      { event_id: id, data: { total: 1 }, withheld: ['personal'], body_sha256: null },
      { event_id: erased, data: null },
      { export: { complete: true, rows: 2 } },
    ])
    expect((await test.get('/v1/events/export')).text).toContain('Zoë')
    await test.context.views.flush()
    const { data } = (await test.get('/v1/audit-log?action=payload.viewed,events.exported')).json
    expect(data).toMatchObject([
      { action: 'payload.viewed', target: id },
      { action: 'payload.viewed', target: id },
      { action: 'events.exported', detail: { types: [] } },
      { action: 'events.exported' },
    ])
  })

  it('that breaks off in the middle has no last line', async () => {
    await publish(600)
    const scan = test.store.scanEvents.bind(test.store)
    test.store.scanEvents = (input) => (input.after > 0 ? Promise.reject(new Error('gone')) : scan(input))
    const response = await test.api.fetch(
      new Request('http://runbell.test/v1/events/export', { headers: { authorization: `Bearer ${test.key}` } }),
    )
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const first = await reader.read()
    expect(rowsOf(Buffer.from(first.value as Uint8Array).toString())).toHaveLength(500)
    await expect(reader.read()).rejects.toThrow('gone')
  })

  it('reads no further than its reader takes, and stops when the reader goes', async () => {
    await publish(5)
    const scan = test.store.scanEvents.bind(test.store)
    let reads = 0
    test.store.scanEvents = async (input) => {
      reads++
      const { rows, upTo } = await scan({ ...input, after: 0 })
      // It never ends.
      return { rows, upTo, next: input.after + 1 }
    }
    const response = await test.api.fetch(
      new Request('http://runbell.test/v1/events/export', { headers: { authorization: `Bearer ${test.key}` } }),
    )
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (let taken = 1; taken <= 3; taken++) {
      await reader.read()
      await new Promise((turn) => setImmediate(turn))
      expect(reads).toBeLessThanOrEqual(taken + 1)
    }
    await reader.cancel()
    const last = reads
    await new Promise((turn) => setImmediate(turn))
    expect(reads).toBe(last)
  })
})

describe('an export of dead letters', () => {
  it('is NDJSON, newest first, without what was discarded', async () => {
    await test.addEndpoint()
    const ids = [await publishDead(test), await publishDead(test, {}, 'dns_failed'), await publishDead(test)]
    const [{ id }] = (await test.get('/v1/dead-letters')).json.data
    await test.post(`/v1/dead-letters/${id}/discard`, { body: { note: 'known' } })
    const { text } = await test.get('/v1/dead-letters/export')
    expect(rowsOf(text)).toMatchObject([
      { event_id: ids[1], error_code: 'dns_failed', status: 'dead_lettered' },
      { event_id: ids[0], error_code: 'timeout' },
      { export: { complete: true, rows: 2 } },
    ])
    const some = rowsOf((await test.get('/v1/dead-letters/export?error_code=dns_failed')).text)
    expect(some.at(-1)).toEqual({ export: { complete: true, rows: 1 } })
  })

  it('is CSV that no spreadsheet takes for formulas, with a last record of as many cells', async () => {
    const key = await test.addKey({ tenantId: '=HYPERLINK("http://x")' })
    await test.addEndpoint({}, key)
    test.slots.grant = true
    const tenant_id = '=HYPERLINK("http://x")'
    await publishDead(test, { tenant_id, run_id: 'run-1' })
    const { headers, text } = await test.get('/v1/dead-letters/export?format=csv')
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    const [head, row, end, ...rest] = text.split('\r\n')
    expect(rest).toEqual([''])
    expect(head).toBe(
      'id,event_id,event_type,run_id,endpoint_id,tenant_id,mode,status,reason,error_code,attempt_count,body_sha256,created_at,updated_at',
    )
    expect(row).toContain(',run-1,')
    expect(row).toContain(`,"'=HYPERLINK(""http://x"")",test,dead_lettered,attempts_exhausted,timeout,1,`)
    expect(end).toBe('#complete,1,,,,,,,,,,,,')
  })
})

describe('groups of dead letters', () => {
  it('are by endpoint, error and type, the largest first, with times and an example', async () => {
    const endpoint = await test.addEndpoint()
    await publishDead(test, {}, 'dns_failed')
    await publishDead(test)
    const first = new Date(test.clock.now()).toISOString()
    test.clock.advance(60_000)
    const last = await publishDead(test)
    const { json } = await test.get('/v1/dead-letters?group_by=endpoint,error_code')
    const [{ id }] = (await test.get('/v1/dead-letters')).json.data
    expect(json).toEqual({
      data: [
        {
          ...{ endpoint_id: endpoint, error_code: 'timeout', count: 2, first_at: first },
          ...{ last_at: new Date(test.clock.now()).toISOString(), example_delivery_id: id },
        },
        expect.objectContaining({ endpoint_id: endpoint, error_code: 'dns_failed', count: 1 }),
      ],
      next_cursor: null,
    })
    expect((await test.get(`/v1/deliveries/${id}`)).json.event_id).toBe(last)
    const byType = (await test.get('/v1/dead-letters?group_by=type')).json.data
    expect(byType).toMatchObject([{ type: 'acme.invoice.drafted', count: 3 }])
    expect((await test.get('/v1/dead-letters?group_by=error_code&error_code=dns_failed')).json.data).toHaveLength(1)
    expect((await test.get('/v1/dead-letters?group_by=error_code&limit=1')).json.data).toHaveLength(1)
  })

  it.each(['group_by=colour', 'group_by=', 'group_by=type&cursor=abc'])('cannot be asked for as %s', async (query) => {
    expect((await test.get(`/v1/dead-letters?${query}`)).json).toMatchObject({ status: 422, code: 'invalid_request' })
  })
})
