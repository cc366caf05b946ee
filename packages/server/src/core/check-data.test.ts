import { describe, expect, it } from 'vitest'
import { ownType, testCatalog } from '../../test/catalog.ts'
import { accepted, event, refused, text } from '../../test/checked.ts'

const COMPLETED = {
  status: 'completed',
  tool_call_id: 'call_1',
  tool: { name: 'lookup_order' },
  summary: 'Order found.',
}
const toolCall = (data: Record<string, unknown>) =>
  event({ type: 'agent.tool_call.completed', data: { ...COMPLETED, ...data } })

describe('data that does not match its schema', () => {
  it('is refused with every path, what was expected there, and what to do', () => {
    const data = { status: 'complete', tool: {}, duration_ms: -1, summary: 'x'.repeat(281), side_effects: 'nnone' }
    const refusal = refused(toolCall(data))
    expect(refusal.code).toBe('schema_mismatch')
    expect(refusal.detail).toContain('version 1 of agent.tool_call.completed')
    expect(refusal.errors).toEqual(
      expect.arrayContaining([
        { path: '/data/status', message: 'is "completed"' },
        { path: '/data/tool/name', message: 'is required' },
        { path: '/data/duration_ms', message: 'is at least 0' },
        expect.objectContaining({ path: '/data/summary', message: 'has at most 280 characters' }),
        {
          path: '/data/side_effects',
          message: 'is one of "none", "possible", "committed", "unknown"',
          suggested_fix: 'Use "none".',
        },
      ]),
    )
    expect(refusal.errors).toHaveLength(5)
  })

  it('is never quoted', () => {
    const planted = 'planted-7f3a9c'
    const refusal = refused(toolCall({ status: planted, tool: planted, duration_ms: planted, side_effects: planted }))
    expect(JSON.stringify(refusal)).not.toContain(planted)
  })

  it('names at most 20 places', () => {
    const run_ids = Array.from({ length: 49 }, () => 5)
    const refusal = refused(event({ type: 'agent.task.created', task_id: 't', data: { status: 'queued', run_ids } }))
    expect(refusal.errors).toHaveLength(20)
  })

  it('is let through with warnings where the type only warns', () => {
    const catalog = testCatalog({}, { 'agent.tool_call.completed': { enforcement: 'warn', lifecycle: 'warn' } })
    const { warnings } = accepted(toolCall({ status: 'complete', tool: 'lookup_order' }), { catalog })
    expect(warnings.map(({ code, path }) => [code, path])).toEqual([
      ['schema_mismatch', '/data/tool'],
      ['schema_mismatch', '/data/status'],
      // A text where an object should be has no class, so nobody gets it.
      ['field_dropped', '/data/tool'],
    ])
  })

  it('takes no longer than in proportion to its size to be found out', () => {
    const items = (count: number) => Array.from({ length: count }, (_, index) => ({ index, key: `k${index}` }))
    const catalog = testCatalog({
      'acme.list.filled': ownType([
        { schema: { type: 'object', 'x-data-class': 'public', properties: { items: { uniqueItems: true } } } },
      ]),
    })
    const source = (count: number) => event({ type: 'acme.list.filled', data: { items: items(count) } })
    const before = process.threadCpuUsage()
    accepted(source(3000), { catalog })
    const { user } = process.threadCpuUsage(before)
    // Comparing each with each takes 4.5 million deep comparisons: seconds, also of a fast processor.
    expect(user / 1000).toBeLessThan(1500)
    expect(
      refused(event({ type: 'acme.list.filled', data: { items: [...items(5), { key: 'k2', index: 2 }] } }), { catalog })
        .errors,
    ).toEqual([{ path: '/data/items', message: 'has no element twice' }])
  })
})

describe('summary text', () => {
  it.each([
    ['a line break', 'Refund\n84 EUR'],
    ['a tab', 'Refund\t84 EUR'],
    ['a NUL', 'Refund\u0000'],
    ['DEL', 'Refund\u007f'],
    ['a C1 control', 'Refund\u0085'],
    ['a right-to-left override', 'Refund \u202e48 EUR'],
    ['an isolate', 'Refund \u2066x\u2069'],
    ['a right-to-left mark', 'Refund \u200f84'],
  ])('with %s is refused, with the path', (_what, summary) => {
    const refusal = refused(toolCall({ summary }))
    expect(refusal).toMatchObject({ code: 'schema_mismatch', errors: [{ path: '/data/summary' }] })
    expect(refusal.errors[0]?.message).toContain('control or bidirectional')
  })

  it('is refused, however lenient the type is', () => {
    const catalog = testCatalog({}, { 'agent.tool_call.completed': { enforcement: 'warn', lifecycle: 'warn' } })
    expect(refused(toolCall({ summary: 'Refund \u202e48 EUR' }), { catalog }).code).toBe('schema_mismatch')
    expect(accepted(toolCall({ summary: 7 }), { catalog }).warnings).toMatchObject([
      { code: 'schema_mismatch', path: '/data/summary' },
    ])
  })

  it.each([['Zoë said “no” – twice 🙂'], ['استرداد 84 يورو'], ['החזר'], ['返金 84 ユーロ']])('may be %s', (summary) => {
    expect(accepted(toolCall({ summary })).warnings).toEqual([])
  })

  it('is looked for in lists and definitions, and the same text is fine in other classes', () => {
    const error = { code: 'tool_error', message: 'a\nb', retryable: false }
    const failed = { status: 'failed', tool_call_id: 'c', tool: { name: 't' }, error }
    const refusal = refused(event({ type: 'agent.tool_call.failed', data: failed }))
    expect(refusal.errors).toMatchObject([{ path: '/data/error/message' }])
    expect(accepted(toolCall({ output: 'a\nb \u202e', input: { text: 'x\n' } })).warnings).toEqual([])
  })
})

describe('credentials', () => {
  // Put together here, so that nobody who looks for secrets in this file finds one.
  const KEY = ['sk', 'proj', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6'].join('-')

  it('are masked in every string before the data is looked at, with a warning for each place', () => {
    const source = toolCall({ output: { env: `OPENAI_API_KEY=${KEY}` }, input: [`use ${KEY} please`] })
    const { event: checked, warnings } = accepted({ ...source, agent: { id: 'a', name: KEY }, metadata: { k: KEY } })
    const kept = text(checked.source) + checked.envelope.head + checked.envelope.tail
    expect(kept).not.toContain(KEY)
    expect(kept).toContain('masked')
    expect(warnings.map(({ code, path }) => `${code} ${path}`).toSorted()).toEqual([
      'credential_masked /agent/name',
      'credential_masked /data/input/0',
      'credential_masked /data/output/env',
      'credential_masked /metadata/k',
    ])
    expect(JSON.stringify(warnings)).not.toContain(KEY)
  })

  it('are found behind escapes, and every other byte stays as it was', () => {
    const escaped = KEY.replace('k', '\\u006b')
    const source = `{"type":"agent.run.started" , "agent":{"id":"a"},"run_id":"r","data":{"status":"running","input":["${escaped}", 1.0 ,"\\u00e9"]}}`
    const { event: checked } = accepted(source)
    expect(text(checked.source)).toMatch(
      /^\{"type":"agent\.run\.started" , "agent":\{"id":"a"\},"run_id":"r","data":\{"status":"running","input":\["[^"]*masked[^"]*", 1\.0 ,"\\u00e9"\]\}\}$/,
    )
  })

  it('are left alone where a pattern says what may stand there', () => {
    const { event: checked, warnings } = accepted({ ...toolCall({ tool_call_id: KEY }), run_id: KEY })
    expect(checked.runId).toBe(KEY)
    expect(warnings).toEqual([])
  })

  it.each([
    ['/tenant_id', { tenant_id: KEY }],
    ['/idempotency_key', { idempotency_key: KEY }],
  ])('are refused as %s, without being quoted', (path, fields) => {
    const refusal = refused(event(fields))
    expect(refusal).toMatchObject({ code: 'invalid_request', errors: [{ path }] })
    expect(JSON.stringify(refusal)).not.toContain(KEY)
  })

  it('are refused in the Idempotency-Key header as well', () => {
    expect(refused(event(), { idempotencyKey: KEY }).errors).toMatchObject([{ path: '/idempotency_key' }])
  })
})

describe('a version that is deprecated', () => {
  const NOW = Date.UTC(2026, 10, 23)
  const schema = { type: 'object', 'x-data-class': 'public' }
  const catalog = testCatalog({
    'acme.invoice.drafted': ownType([
      { schema, deprecation: { deprecatedAt: NOW, retiredAt: NOW + 1000, note: null } },
      { schema },
    ]),
  })
  const old = event({ type: 'acme.invoice.drafted' })

  it('is taken with a warning until its date, and refused from then on', () => {
    expect(accepted(old, { catalog, now: NOW + 999 }).warnings).toMatchObject([
      { code: 'version_deprecated', path: '/schema_version' },
    ])
    expect(refused(old, { catalog, now: NOW + 1000 }).errors).toMatchObject([{ path: '/schema_version' }])
    expect(accepted({ ...old, schema_version: 2 }, { catalog, now: NOW + 1000 }).warnings).toEqual([])
  })
})
