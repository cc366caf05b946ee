import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, START_SECONDS, TRACE_ID } from '../../../test/otlp.ts'
import type { OtlpSpan } from './otlp-data.ts'
import { errorOfType } from './span-error.ts'
import { eventsOfSpan } from './span-events.ts'

const START = BigInt(START_SECONDS) * 1_000_000_000n
const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
const CONTEXT = { mode: 'live' as const, keyTenantId: null, digest }

function span(attributes: Record<string, string | number>, more: Partial<OtlpSpan> = {}): OtlpSpan {
  return {
    ...{ resource: new Map([['service.name', 'desk']]), traceId: TRACE_ID, spanId: SPAN_ID, parentSpanId: '' },
    ...{ name: 'x', kind: 1, startNanos: START, endNanos: START + 1_500_000_000n, events: [] },
    ...{ attributes: new Map(Object.entries(attributes)), statusCode: 0, statusMessage: '' },
    ...more,
  }
}

const TOOL = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.id': 'call_1' }
const AGENT = {
  'gen_ai.operation.name': 'invoke_agent',
  'gen_ai.agent.name': 'Refunds',
  'gen_ai.usage.input_tokens': 9,
}

describe('a span of a tool', () => {
  it('tells that it began and that it ended', () => {
    const common = {
      ...{ schema_version: 1, tenant_id: 'default', run_id: TRACE_ID, agent: { id: 'desk' }, trace_id: TRACE_ID },
      event_id: expect.stringMatching(/^evt_[A-Za-z0-9_-]{43}$/),
    }
    expect(eventsOfSpan(span(TOOL), CONTEXT)).toEqual([
      {
        ...{ ...common, type: 'agent.tool_call.started', timestamp: '2026-11-23T18:02:00.000Z' },
        data: { tool_call_id: 'call_1', tool: { name: 'search' }, status: 'running' },
      },
      {
        ...{ ...common, type: 'agent.tool_call.completed', timestamp: '2026-11-23T18:02:01.500Z' },
        data: { tool_call_id: 'call_1', tool: { name: 'search' }, status: 'completed', duration_ms: 1500 },
      },
    ])
  })

  it('that failed tells of it by a code, and nothing of what it said', () => {
    const secret = 'the password is hunter2'
    const failed = span(
      { ...TOOL, 'error.type': 'TimeoutError', 'exception.message': secret },
      { statusCode: 2, statusMessage: secret, events: [{ name: 'exception', attributes: new Map([['a', secret]]) }] },
    )
    const [, ended] = eventsOfSpan(failed, CONTEXT)
    expect(ended).toMatchObject({
      type: 'agent.tool_call.failed',
      data: {
        status: 'timed_out',
        error: { code: 'timeout', retryable: true, origin: 'tool', side_effects: 'unknown' },
      },
    })
    expect(JSON.stringify(eventsOfSpan(failed, CONTEXT))).not.toContain('hunter2')
  })

  it('has nothing of what the tool was given or gave', () => {
    const full = { ...TOOL, 'gen_ai.tool.call.arguments': '{"card":1}', 'gen_ai.tool.call.result': 'given' }
    expect(eventsOfSpan(span(full), CONTEXT)).toEqual(eventsOfSpan(span(TOOL), CONTEXT))
  })

  it('is known by its own id where the call has none, and by no name it cannot have', () => {
    const { 'gen_ai.tool.call.id': _, ...without } = TOOL
    expect(eventsOfSpan(span(without), CONTEXT)[0]?.data).toMatchObject({ tool_call_id: SPAN_ID })
    expect(eventsOfSpan(span({ ...TOOL, 'gen_ai.tool.name': 'a\u0000b' }), CONTEXT)).toEqual([])
    expect(eventsOfSpan(span({ 'gen_ai.operation.name': 'execute_tool' }), CONTEXT)).toEqual([])
  })
})

describe('a span of an agent', () => {
  it('is a run where it begins a trace', () => {
    const [started, completed] = eventsOfSpan(span(AGENT), CONTEXT)
    expect(started).toMatchObject({ type: 'agent.run.started', run_id: TRACE_ID, agent: { id: 'Refunds' } })
    expect(completed).toMatchObject({
      type: 'agent.run.completed',
      data: { status: 'completed', duration_ms: 1500, usage: { input_tokens: 9 } },
    })
  })

  it('within another one is none, unless the application gives it a run of its own', () => {
    const inner = { parentSpanId: 'aaaaaaaaaaaaaaaa' }
    expect(eventsOfSpan(span(AGENT, inner), CONTEXT)).toEqual([])
    const own = eventsOfSpan(span({ ...AGENT, 'runbell.run_id': 'run-7' }, inner), CONTEXT)
    expect(own.map(({ run_id }) => run_id)).toEqual(['run-7', 'run-7'])
  })

  it('has the same bytes whenever it is made, and other ids for other spans, types and modes', () => {
    const ids = (one: OtlpSpan, mode: 'live' | 'test' = 'live') =>
      eventsOfSpan(one, { ...CONTEXT, mode }).map(({ event_id }) => event_id)
    expect(JSON.stringify(eventsOfSpan(span(AGENT), CONTEXT))).toBe(JSON.stringify(eventsOfSpan(span(AGENT), CONTEXT)))
    const all = [...ids(span(AGENT)), ...ids(span(AGENT, { spanId: 'bbbbbbbbbbbbbbbb' })), ...ids(span(AGENT), 'test')]
    expect(new Set(all).size).toBe(6)
    expect(ids(span(AGENT), 'test')[0]).toMatch(/^evt_test_/)
  })

  it('without ids or with a clock that was never set is none', () => {
    for (const more of [{ traceId: '' }, { spanId: '0'.repeat(16) }, { startNanos: 0n }, { endNanos: 0n }]) {
      expect(eventsOfSpan(span(AGENT, more), CONTEXT)).toEqual([])
    }
  })

  it('belongs to the tenant of the key, or to whom its resource names', () => {
    const resource = new Map([['runbell.tenant_id', 'acme']])
    const tenants = (keyTenantId: string | null) => eventsOfSpan(span(AGENT, { resource }), { ...CONTEXT, keyTenantId })
    expect(tenants(null)[0]?.tenant_id).toBe('acme')
    expect(tenants('bound')[0]?.tenant_id).toBe('bound')
  })
})

describe('error.type', () => {
  it.each([
    ['TimeoutError', 'timeout', 'timeout'],
    ['429', 'rate_limited', 'rate_limited'],
    ['java.net.UnknownHostException: connect', 'tool_unavailable', 'dependency_failed'],
    ['openai.PermissionDeniedError', 'permission_denied', 'permission_denied'],
    ['ValidationError', 'tool_input_invalid', 'invalid_input'],
    ['KeyError', 'tool_error', 'internal_error'],
    ['', 'tool_error', 'unknown'],
  ])('%s is a code', (type, ofTool, ofAgent) => {
    expect([errorOfType(type, 'tool').code, errorOfType(type, 'agent').code]).toEqual([ofTool, ofAgent])
  })

  it('itself stands in no error', () => {
    expect(JSON.stringify(errorOfType('the card 4111 timed out', 'tool'))).not.toContain('4111')
  })
})
