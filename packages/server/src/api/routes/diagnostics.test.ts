import type { DiagnosticView } from '@runbell/sdk/contract'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApiKey } from '../access/api-key.ts'
import { createTestApi, type TestApi } from '../testing/test-api.ts'

let test: TestApi
beforeEach(async () => void (test = await createTestApi()))

const one = (more: Record<string, unknown> = {}) => ({ name: 'model.call', ...more })
const post = (body: unknown, key = test.key) => test.post('/v1/diagnostics', { key, body })
const list = async (query = '', key = test.key): Promise<DiagnosticView[]> =>
  (await test.get(`/v1/diagnostics${query}`, { key })).json.data

async function keyWith(dataClasses: readonly string[], tenantId: string | null = null): Promise<string> {
  const { random } = test.context
  const made = createApiKey({ mode: 'test', scopes: ['read', 'publish'], tenantId, random, now: test.clock.now() })
  await test.store.putApiKey({ key: { ...made.row, dataClasses: dataClasses as never } })
  return made.key
}

describe('POST /v1/diagnostics', () => {
  it('stores what it is given, and shows it', async () => {
    const sent = {
      ...one({ severity: 'warn', timestamp: '2026-11-23T18:00:00.5Z', run_id: 'run-1', duration_ms: 12.5 }),
      ...{ trace_id: '5b8efff798038103d269b633813fc60c', span_id: 'eee19b7ec3c1b174', message: 'second try' },
      ...{ agent: { id: 'refunds', version: '2' }, task_id: 't', conversation_id: 'c', tenant_id: 'acme' },
      attributes: { 'gen_ai.usage.input_tokens': 12, candidates: [{ id: 'doc-1', score: 0.5 }] },
    }
    const { status, json } = await post([sent])
    expect([status, json]).toEqual([
      202,
      { results: [{ status: 'accepted', id: expect.stringMatching(/^diag_test_/), warnings: [] }] },
    ])
    expect(await list()).toEqual([
      {
        ...sent,
        ...{ id: json.results[0].id, timestamp: '2026-11-23T18:00:00.500Z', mode: 'test', source: 'api' },
        recorded_at: '2026-11-23T18:02:10.120Z',
      },
    ])
  })

  it('takes lines as well, each on its own', async () => {
    const raw = `${JSON.stringify(one())}\n{"name":\n\n${JSON.stringify(one({ name: 'No' }))}\n[1]\n`
    const { status, json } = await test.post('/v1/diagnostics', {
      raw,
      headers: { 'content-type': 'application/x-ndjson' },
    })
    const codes = json.results.map(({ problem }: { problem?: { code: string } }) => problem?.code ?? 'accepted')
    expect([status, codes]).toEqual([202, ['accepted', 'malformed_json', 'invalid_request', 'invalid_request']])
    expect(await list()).toHaveLength(1)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['no name', { name: undefined }, '/name'],
    ['a name of an event', { name: 'agent.run.started' }, '/name'],
    ['a severity that is none', { severity: 'loud' }, '/severity'],
    ['a time that is none', { timestamp: 'now' }, '/timestamp'],
    ['a run id that is none', { run_id: ' ' }, '/run_id'],
    ['a trace id in capitals', { trace_id: 'A'.repeat(32) }, '/trace_id'],
    ['a field there is not', { runid: 'x' }, '/runid'],
    ['attributes that are none', { attributes: [] }, '/attributes'],
    ['a class that is none', { data_classes: { a: 'secret' } }, '/data_classes/a'],
    ['a negative duration', { duration_ms: -1 }, '/duration_ms'],
    ['the other mode', { mode: 'live' }, '/mode'],
    ['all tenants', { tenant_id: '*' }, '/tenant_id'],
    ['its own place in time', { recorded_at: '2026-11-23T18:00:00Z' }, '/recorded_at'],
  ])('rejects one with %s', async (_what, more, path) => {
    const { json } = await post([one(more), one()])
    expect(json.results[0]).toMatchObject({ status: 'rejected', problem: { errors: [{ path }] } })
    expect(json.results[1]).toMatchObject({ status: 'accepted' })
  })

  it('refuses what is no list, and stores nothing of a broken one', async () => {
    expect((await post(one())).json.code).toBe('malformed_json')
    const broken = await test.post('/v1/diagnostics', { raw: `[${JSON.stringify(one())},` })
    expect(broken.json.code).toBe('malformed_json')
    const many = await post(Array.from({ length: 1001 }, () => one()))
    expect(many.json.code).toBe('payload_too_large')
    const headers = { 'content-encoding': 'gzip' }
    expect((await test.post('/v1/diagnostics', { raw: '[]', headers })).status).toBe(415)
    expect((await test.post('/v1/diagnostics', { raw: 'x'.repeat(2 * 1024 * 1024 + 1) })).status).toBe(413)
    expect(await list()).toEqual([])
    expect((await post([])).json).toEqual({ results: [] })
  })

  it('keeps a bound key to its tenant', async () => {
    const key = await test.addKey({ tenantId: 'acme', scopes: ['publish', 'read'] })
    const { json } = await post([one({ tenant_id: 'other' }), one()], key)
    expect(json.results[0].problem.code).toBe('insufficient_scope')
    await post([one({ tenant_id: 'other' })])
    expect((await list('', key)).map(({ tenant_id }) => tenant_id)).toEqual(['acme'])
    expect(await list('?tenant_id=other')).toHaveLength(1)
  })

  it('masks what looks like a credential, and what is called one, and says so', async () => {
    const secret = ['sk', 'live', '4eC39HqLyjWDarjtT1zdp7dc'].join('_')
    const attributes = {
      nested: { list: [`key ${secret}`] },
      'db.password': 'x',
      'http.request.header.authorization': 'plain',
      mine: 'anything',
      'gen_ai.usage.output_tokens': 5,
    }
    const { json } = await post([one({ message: `with ${secret}`, attributes, data_classes: { mine: 'credential' } })])
    const paths = json.results[0].warnings.map(({ path }: { path: string }) => path)
    expect(paths).toEqual([
      ...['/message', '/attributes/nested', '/attributes/db.password'],
      ...['/attributes/http.request.header.authorization', '/attributes/mine'],
    ])
    const [shown] = await list()
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(shown?.attributes).toMatchObject({ 'db.password': '***', mine: '***', 'gen_ai.usage.output_tokens': 5 })
  })

  it('bounds what is kept of one, and says of what', async () => {
    const big = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`a${index}`, 'x'.repeat(2000 + index)]))
    await post([one({ attributes: { ...big, long: 'y'.repeat(5000), small: 1 } })])
    const [shown] = await list()
    expect(JSON.stringify(shown).length).toBeLessThan(40_000)
    expect(shown?.truncated).toContain('long')
    expect(shown?.attributes).toMatchObject({ small: 1, a0: 'x'.repeat(2000) })
    await post([
      one({ attributes: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`b${index}`, index])) }),
    ])
    const [many] = await list()
    expect(Object.keys(many?.attributes ?? {})).toHaveLength(128)
  })

  it('shows numbers and names that JSON has and other languages do not', async () => {
    await test.post('/v1/diagnostics', { raw: '[{"name":"a","attributes":{"__proto__":1,"huge":1E400,"neg":-0}}]' })
    const { text } = await test.get('/v1/diagnostics')
    expect(text).toContain('"attributes":{"__proto__":1,"huge":"Infinity","neg":0}')
  })

  it('answers 429 with Retry-After where a tenant has sent too many, and takes the others', async () => {
    test = await createTestApi({ diagnosticRates: { perTenant: 10, perNode: 1000 } })
    const many = Array.from({ length: 40 }, () => one({ tenant_id: 'a' }))
    expect((await post(many)).status).toBe(202)
    const refused = await post([one({ tenant_id: 'a' })])
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '3'])
    const mixed = await post([one({ tenant_id: 'a' }), one({ tenant_id: 'b' })])
    expect(mixed.status).toBe(202)
    expect(mixed.json.results.map(({ status }: { status: string }) => status)).toEqual(['rejected', 'accepted'])
    expect(mixed.headers.get('retry-after')).toBe('3')
    test.clock.advance(3000)
    expect((await post([one({ tenant_id: 'a' })])).status).toBe(202)
  })

  it('answers 429 before a body is read where the node has taken too many, and leaves events alone', async () => {
    test = await createTestApi({ diagnosticRates: { perTenant: 1000, perNode: 10 } })
    await post(Array.from({ length: 100 }, () => one()))
    const refused = await test.post('/v1/diagnostics', { raw: 'this is not even looked at' })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '9'])
    const event = { type: 'acme.invoice.drafted', agent: { id: 'a' }, data: {} }
    expect((await test.post('/v1/events', { body: event })).status).toBe(202)
  })
})

describe('diagnostics over HTTP', () => {
  const started: Server[] = []
  afterEach(() => {
    for (const server of started.splice(0)) server.close().closeAllConnections()
  })

  async function serve(): Promise<number> {
    const server = createServer({ requireHostHeader: false }, test.api.listener)
    server.on('checkContinue', test.api.listener)
    started.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  /** What comes of a request that is sent as it is. */
  async function raw(port: number, text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    socket.end(text)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return answer
  }

  it('are taken by the bare handler, with the same answers', async () => {
    const port = await serve()
    const headers = { authorization: `Bearer ${test.key}`, 'content-type': 'application/json' }
    const send = (path: string, body: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })
    expect((await send('/v1/diagnostics', '[{"name":"a"}]')).status).toBe(202)
    expect((await send('/v1/diagnostics?x=1', '[{"name":"a"}]')).status).toBe(202)
    expect((await send('/v1/otlp/v1/logs', '{}')).status).toBe(200)
    expect((await send('/v1/diagnostics', '{')).status).toBe(400)
    expect(await list()).toHaveLength(2)
  })

  it('that are too many are refused before their body is asked for', async () => {
    test = await createTestApi({ diagnosticRates: { perTenant: 1000, perNode: 10 } })
    await post(Array.from({ length: 100 }, () => one()))
    const port = await serve()
    const head = `POST /v1/diagnostics HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${test.key}\r\ncontent-type: application/json\r\n`
    const answer = await raw(port, `${head}content-length: 1000000\r\nexpect: 100-continue\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 429 /)
    expect(answer).toMatch(/retry-after: 9\r\n/i)
  })

  it('are refused while the disk is low, and so that events can be stored', async () => {
    test.context.storage = () => 'low'
    const { status, json } = await post([one()])
    expect([status, json.code]).toEqual([507, 'storage_full'])
  })
})

describe('reading', () => {
  it('is cut by the classes of the key, which are named', async () => {
    const attributes = {
      'gen_ai.request.model': 'gpt',
      'gen_ai.input.messages': [{ role: 'user' }],
      'gen_ai.tool.call.arguments': '{"a":1}',
      plain: 'short',
      unknown: 'z'.repeat(300),
      mine: 'own',
    }
    await post([one({ message: 'try', attributes, data_classes: { mine: 'memory' }, message_class: 'summary' })])
    const seen = async (classes: string[]) => {
      const [shown] = await list('', await keyWith(classes))
      return [shown?.message, Object.keys(shown?.attributes ?? {}), shown?.withheld] as const
    }
    const rest = ['document', 'memory', 'message', 'personal', 'prompt', 'tool_input', 'tool_output']
    expect(await seen(['public', 'summary'])).toEqual([
      'try',
      ['gen_ai.request.model'],
      [...rest, 'operational'].toSorted(),
    ])
    expect(await seen(['operational', 'prompt'])).toEqual([
      ...['try', ['gen_ai.request.model', 'gen_ai.input.messages', 'plain']],
      rest.filter((name) => name !== 'prompt'),
    ])
    expect((await list())[0]?.withheld).toBeUndefined()
    expect(Object.keys((await list())[0]?.attributes ?? {})).toHaveLength(6)
  })

  it('is filtered, paged in both orders, and on record', async () => {
    for (let index = 0; index < 5; index++) {
      await post([one({ run_id: 'run-1', name: `step.n${index}`, severity: index > 2 ? 'error' : 'info' })])
      await post([one({ run_id: 'run-2' })])
      test.clock.advance(1000)
    }
    const names = (rows: DiagnosticView[]) => rows.map(({ name }) => name.slice(-2))
    expect(names(await list('?run_id=run-1'))).toEqual(['n4', 'n3', 'n2', 'n1', 'n0'])
    expect(names(await list('?run_id=run-1&order=oldest&severity=error'))).toEqual(['n3', 'n4'])
    expect(names(await list('?name=step.n1,step.n2&order=oldest'))).toEqual(['n1', 'n2'])
    expect(await list('?name=model.*')).toHaveLength(5)
    expect(names(await list('?run_id=run-1&since=2026-11-23T18:02:13.000Z'))).toEqual(['n4', 'n3'])
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const more = cursor === '' ? '' : `&cursor=${cursor}`
      const { json } = await test.get(`/v1/diagnostics?run_id=run-1&limit=2${more}`)
      seen.push(...names(json.data))
      cursor = json.next_cursor
      if (cursor !== null) expect((await test.get(`/v1/diagnostics?limit=2&cursor=${cursor}`)).status).toBe(400)
    }
    expect(seen).toEqual(['n4', 'n3', 'n2', 'n1', 'n0'])
    await test.context.views.flush()
    const targets = (await test.get('/v1/audit-log?action=payload.viewed')).json.data as { target: string }[]
    expect(targets.map(({ target }) => target).toSorted()).toEqual(['diagnostics', 'diagnostics:run-1'])
  })

  it('exports all there was when it began, oldest first, cut for the key', async () => {
    await post(Array.from({ length: 450 }, (_, index) => one({ attributes: { index } })))
    const { text, headers } = await test.get('/v1/diagnostics/export', { key: await keyWith(['operational']) })
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as DiagnosticView)
    expect(rows.map(({ attributes }) => attributes['index'])).toEqual(rows.map((_, index) => index))
    expect(rows).toHaveLength(450)
    const few = await test.get('/v1/diagnostics/export', { key: await keyWith([]) })
    expect(few.text).not.toContain('index')
  })

  it('is erased by run, for good and on record', async () => {
    await post([one({ run_id: 'run-1', tenant_id: 'a' }), one({ run_id: 'run-1', tenant_id: 'b' }), one()])
    const erase = (body: unknown, key = test.key) => test.post('/v1/diagnostics/erase', { body, key })
    const bound = await test.addKey({ tenantId: 'a' })
    expect((await erase({ run_id: 'run-1', tenant_id: 'b' }, bound)).status).toBe(403)
    expect((await erase({ run_id: 'run-1' }, bound)).json).toEqual({ run_id: 'run-1', erased: 1 })
    expect((await erase({ run_id: 'run-1' })).json).toEqual({ run_id: 'run-1', erased: 1 })
    expect(await list()).toHaveLength(1)
    const { data } = (await test.get('/v1/audit-log?action=diagnostics.erased')).json
    expect(data.map((entry: { target: string; tenant_id: string | null }) => [entry.target, entry.tenant_id])).toEqual([
      ['run-1', null],
      ['run-1', 'a'],
    ])
  })
})

describe('following', () => {
  interface Told {
    ids: string[]
    names: string[]
  }

  /** Reads until so many diagnostics have come. */
  async function read(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<Told> {
    const told: Told = { ids: [], names: [] }
    while (told.names.length < count) {
      const { value, done } = await reader.read()
      if (done) break
      const text = Buffer.from(value).toString()
      told.ids.push(...[...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id as string))
      told.names.push(
        ...[...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => (JSON.parse(data as string) as DiagnosticView).name),
      )
    }
    return told
  }

  const open = async (query = '', headers: Record<string, string> = {}, key = test.key) => {
    const request = new Request(`http://runbell.test/v1/diagnostics/tail${query}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
    })
    const response = await test.api.fetch(request)
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
    return { status: response.status, reader }
  }

  it('tells what is stored from then on, filtered, and goes on behind the last one', async () => {
    await post([one({ name: 'before' })])
    const { reader } = await open('?run_id=run-1')
    await post([
      one({ name: 'a', run_id: 'run-1' }),
      one({ name: 'x', run_id: 'run-2' }),
      one({ name: 'b', run_id: 'run-1' }),
    ])
    const told = await read(reader, 2)
    expect(told.names).toEqual(['a', 'b'])
    await reader.cancel()
    await post([one({ name: 'c', run_id: 'run-1' })])
    const again = await open('?run_id=run-1', { 'last-event-id': told.ids.at(-1) as string })
    expect((await read(again.reader, 1)).names).toEqual(['c'])
    await again.reader.cancel()
    const other = await open('?run_id=run-2', { 'last-event-id': told.ids.at(-1) as string })
    expect(other.status).toBe(400)
  })

  it('ends when the key is revoked', async () => {
    const key = await test.addKey({ scopes: ['read'] })
    const { reader } = await open('', {}, key)
    await reader.read()
    await test.ask('DELETE', `/v1/api-keys/key_test_${key.split('_')[2]}`)
    expect((await read(reader, 1)).names).toEqual([])
  })

  it('cuts off who does not read, and lets others in again', async () => {
    const timers: (() => void)[] = []
    const after = test.clock.after.bind(test.clock)
    test.clock.after = (ms, run) => {
      if (ms < 30_000) return after(ms, run)
      timers.push(run)
      return () => {}
    }
    const all = await Promise.all(Array.from({ length: 16 }, () => open()))
    expect((await open()).status).toBe(429)
    const others = await open('', {}, await test.addKey())
    expect(others.status).toBe(200)
    await all[0]?.reader.read()
    timers.at(-1)?.()
    await expect(all[0]?.reader.read()).rejects.toThrow(/does not read/)
    const next = await open()
    expect(next.status).toBe(200)
    for (const { reader } of [...all.slice(1), next, others]) await reader.cancel()
  })
})
