import { gzipSync } from 'node:zlib'
import type { DiagnosticView, EventView } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { logsRequest, SPAN_ID, TRACE_ID, traceRequest, type LogInput, type SpanInput } from '../../../test/otlp.ts'
import { createTestApi, type TestApi, type TestApiOptions } from '../testing/test-api.ts'

let test: TestApi
const start = async (options: TestApiOptions = {}) => void (test = await createTestApi(options))
beforeEach(() => start())

const TYPES = { json: 'application/json', protobuf: 'application/x-protobuf' } as const
type Encoding = keyof typeof TYPES

/** Answers of either encoding: the bytes of protobuf as they are. */
async function send(signal: string, encoding: Encoding, body: Uint8Array<ArrayBuffer>, headers = {}, key = test.key) {
  const request = new Request(`http://runbell.test/v1/otlp/v1/${signal}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': TYPES[encoding], ...headers },
    body,
  })
  const response = await test.api.fetch(request)
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() }
}

const traces = (spans: SpanInput[], encoding: Encoding = 'protobuf') =>
  send('traces', encoding, traceRequest(encoding, spans))
const logs = (records: LogInput[], encoding: Encoding = 'protobuf') =>
  send('logs', encoding, logsRequest(encoding, records))
const list = async (): Promise<DiagnosticView[]> => (await test.get('/v1/diagnostics?order=oldest')).json.data

const TOOL = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.id': 'call_1' }
const AGENT = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.id': 'refunds' }

describe.each<Encoding>(['json', 'protobuf'])('OTLP in %s', (encoding) => {
  it('stores spans as diagnostics of the run that is their trace', async () => {
    const attributes = { ...TOOL, 'gen_ai.tool.call.arguments': '{"q":1}', 'runbell.task_id': 'task-1' }
    const { status, headers, text } = await traces(
      [{ name: 'execute_tool search', attributes, error: 'no luck' }],
      encoding,
    )
    expect([status, headers.get('content-type'), text]).toEqual([200, TYPES[encoding], encoding === 'json' ? '{}' : ''])
    expect(await list()).toMatchObject([
      {
        ...{ name: 'gen_ai.execute_tool', severity: 'error', timestamp: '2026-11-23T18:02:00.000Z', duration_ms: 1500 },
        ...{ run_id: TRACE_ID, task_id: 'task-1', trace_id: TRACE_ID, span_id: SPAN_ID, source: 'otlp_span' },
        agent: { id: 'refund-desk' },
        attributes: {
          ...TOOL,
          ...{ 'gen_ai.tool.call.arguments': '{"q":1}', 'service.name': 'refund-desk' },
          ...{ 'span.name': 'execute_tool search', 'span.kind': 'client', 'span.status_message': 'no luck' },
        },
      },
    ])
  })

  it('stores log records', async () => {
    await logs(
      [
        { body: 'hello', severityNumber: 13 },
        { eventName: 'my.event', body: { a: 1 }, inTrace: false },
      ],
      encoding,
    )
    expect(await list()).toMatchObject([
      { name: 'log', severity: 'warn', message: 'hello', run_id: TRACE_ID, source: 'otlp_log' },
      { name: 'my.event', severity: 'info', attributes: { 'log.body': { a: 1 } } },
    ])
  })

  it('says what it did not take, with 200: nobody is to send it again', async () => {
    const { status, bytes, text } = await traces([{}, { traceId: '0'.repeat(32) }], encoding)
    expect(status).toBe(200)
    if (encoding === 'json') {
      expect(JSON.parse(text)).toMatchObject({ partialSuccess: { rejectedSpans: '1', errorMessage: /no trace id/ } })
    } else {
      // partial_success: rejected_spans 1, error_message.
      expect([...bytes.subarray(0, 1), ...bytes.subarray(2, 5)]).toEqual([0x0a, 0x08, 0x01, 0x12])
      expect(text).toContain('no trace id')
    }
    expect(await list()).toHaveLength(1)
  })

  it('is told in its own encoding what is wrong', async () => {
    const key = await test.addKey({ scopes: ['read'] })
    const refused = await send('traces', encoding, traceRequest(encoding, [{}]), {}, key)
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      403,
      encoding === 'json' ? 'application/problem+json' : TYPES.protobuf,
    ])
    // Status.code 7: permission denied.
    if (encoding === 'protobuf') expect([...refused.bytes.subarray(0, 3)]).toEqual([0x08, 7, 0x12])
    const broken = await send('traces', encoding, new Uint8Array([0x0a, 0x7f, 0x00]))
    expect(broken.status).toBe(400)
  })

  it('is inflated, up to a bound', async () => {
    const gzip = { 'content-encoding': 'gzip' }
    const zipped = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))
    const { status } = await send('traces', encoding, zipped(traceRequest(encoding, [{}])), gzip)
    expect([status, (await list()).length]).toEqual([200, 1])
    const bomb = zipped(new Uint8Array(64 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(100_000)
    expect((await send('traces', encoding, bomb, gzip)).status).toBe(413)
    expect((await send('traces', encoding, traceRequest(encoding, [{}]), gzip)).status).toBe(400)
    const br = { 'content-encoding': 'br' }
    expect((await send('traces', encoding, traceRequest(encoding, [{}]), br)).status).toBe(415)
  })

  it('is answered 429 with Retry-After where there were too many', async () => {
    await start({ diagnosticRates: { perTenant: 10, perNode: 100 } })
    expect(
      (
        await traces(
          Array.from({ length: 50 }, () => ({})),
          encoding,
        )
      ).status,
    ).toBe(200)
    const { status, headers } = await traces([{}], encoding)
    expect([status, headers.get('retry-after')]).toEqual([429, '4'])
  })
})

it('takes nothing else', async () => {
  expect((await test.post('/v1/otlp/v1/traces', { raw: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(
    415,
  )
  expect((await test.post('/v1/otlp/v1/metrics', { raw: '{}' })).status).toBe(404)
})

it('shows contents to those alone who hold their class, and what nobody knows to those alone who hold all', async () => {
  const attributes = {
    ...TOOL,
    'gen_ai.tool.call.result': 'x',
    'gen_ai.input.messages': 'x',
    'my.notes': 'y'.repeat(300),
    ok: 'z',
  }
  await traces([{ attributes }])
  await logs([{ eventName: 'gen_ai.user.message', body: 'short' }])
  const reader = await test.addKey({ scopes: ['read'] })
  const shown = (await test.get('/v1/diagnostics?order=oldest', { key: reader })).json.data as DiagnosticView[]
  const seen = Object.keys(shown[0]?.attributes ?? {})
  expect(seen).not.toContain('gen_ai.tool.call.result')
  expect(seen).not.toContain('my.notes')
  expect(seen).toContain('gen_ai.tool.name')
  expect(shown[1]?.message).toBeUndefined()
})

describe('spans as events', () => {
  const spans: SpanInput[] = [
    { spanId: 'aaaaaaaaaaaaaaaa', parentSpanId: SPAN_ID, attributes: TOOL, start: [0, 5_000_000], end: [1, 0] },
    { attributes: AGENT, start: [0, 0], end: [2, 0] },
  ]
  const events = async (): Promise<EventView[]> => (await test.get('/v1/events')).json.data.toReversed()

  it('are off unless they are switched on', async () => {
    await traces(spans)
    expect(await events()).toEqual([])
  })

  it('are published in the order of their times, and are duplicates when they come again', async () => {
    await start({ spansAsEvents: true })
    expect((await traces(spans)).text).toBe('')
    const told = (await events()).map(({ type, sequence, run_id }) => [type, sequence, run_id])
    expect(told).toEqual([
      ['agent.run.started', 1, TRACE_ID],
      ['agent.tool_call.started', 2, TRACE_ID],
      ['agent.tool_call.completed', 3, TRACE_ID],
      ['agent.run.completed', 4, TRACE_ID],
    ])
    expect((await test.get(`/v1/runs/${TRACE_ID}`)).json).toMatchObject({ status: 'completed', lifecycle_warnings: 0 })
    expect((await traces(spans, 'json')).status).toBe(200)
    expect(await events()).toHaveLength(4)
    expect(await list()).toHaveLength(4)
  })

  it('that cannot be taken now have all of it come again', async () => {
    await start({ spansAsEvents: true, gate: { eventsPerSecond: 0.1, maxPending: 10 } })
    const { status, headers } = await traces(spans)
    expect(status).toBe(429)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await list()).toEqual([])
  })

  it('that are refused for good are told of, and their spans stay', async () => {
    await start({ spansAsEvents: true })
    await traces([{ attributes: AGENT }])
    const { status, text } = await traces(
      [{ spanId: 'bbbbbbbbbbbbbbbb', attributes: { ...AGENT, 'error.type': 'x' } }],
      'json',
    )
    expect([status, JSON.parse(text)]).toMatchObject([200, { partialSuccess: { errorMessage: /run_already_ended/ } }])
    expect(await list()).toHaveLength(2)
  })
})

it('goes out as OTLP and comes in again as it was', async () => {
  await traces([{ attributes: { ...TOOL, n: 3, half: 0.5, list: ['a'], yes: true } }])
  await logs([{ body: 'hello', severityNumber: 17, attributes: { deep: 'x' } }])
  const exported = await test.get('/v1/diagnostics/export?format=otlp')
  const before = await list()
  const [line = ''] = exported.text.trimEnd().split('\n')
  await start()
  expect((await send('logs', 'json', new Uint8Array(Buffer.from(line)))).text).toBe('{}')
  const after = await list()
  const plain = ({
    id: _,
    recorded_at: __,
    source: ___,
    duration_ms: ____,
    parent_span_id: _____,
    ...rest
  }: DiagnosticView) => rest
  expect(after.map(plain)).toEqual(before.map(plain))
})
