import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { completeBody } from '../store/body.ts'
import { accepted, errorsAt, event, NOW, read, refused, text } from '../../test/checked.ts'

describe('an accepted event', () => {
  it('needs only a type, an agent, data and the id of its run', () => {
    const { event: checked, warnings } = accepted(event())
    expect(warnings).toEqual([])
    expect(checked).toMatchObject({
      tenantId: 'default',
      mode: 'live',
      eventId: 'evt_made0001',
      type: 'agent.run.started',
      schemaVersion: 1,
      timestamp: NOW,
      runId: 'run-1',
      expiresAt: null,
      deadline: null,
      idempotencyKey: null,
    })
  })

  it('keeps its own id, times, ids and metadata', () => {
    const full = event({
      event_id: 'evt_01KAXW2M7Q',
      timestamp: '2026-11-23T19:02:10.120+01:00',
      expires_at: '2026-11-24T00:00:00Z',
      task_id: 'call_9f2KQ',
      conversation_id: 'thread 8841 – Zoë',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      causation_id: 'evt_01KAXW2QF3',
      metadata: { region: 'eu' },
      tenant_id: 'acme',
      mode: 'live',
      schema_version: 1,
    })
    const { event: checked } = accepted(full)
    expect(checked).toMatchObject({
      eventId: 'evt_01KAXW2M7Q',
      timestamp: Date.UTC(2026, 10, 23, 18, 2, 10, 120),
      expiresAt: Date.UTC(2026, 10, 24),
      deadline: Date.UTC(2026, 10, 24),
      tenantId: 'acme',
    })
    const body = JSON.parse(text(completeBody(checked, NOW, 3))) as Record<string, unknown>
    expect(body).toEqual({
      ...full,
      timestamp: '2026-11-23T18:02:10.120Z',
      expires_at: '2026-11-24T00:00:00.000Z',
      recorded_at: new Date(NOW).toISOString(),
      sequence: 3,
    })
  })

  it.each([
    ['{"type":"acme.invoice.drafted","agent":{"id":"a"},"data":{}}', '{}'],
    ['\n\t {"data" : \r\n {"n" : 1.0 ,\n"x":[ ] } ,"agent":{"id":"a"},"type":"acme.a"}\n ', '{"n" : 1.0 ,\n"x":[ ] }'],
    ['{"d\\u0061ta":{"data":{"a":1E400}},"agent":{"id":"é"},"type":"acme.a"}', '{"data":{"a":1E400}}'],
    ['{"metadata":{"data":"no"},"type":"acme.a","agent":{"id":"a"},"data":{"b":"\\u0000😀"}   }', '{"b":"\\u0000😀"}'],
  ])('spans exactly the bytes of data in %j', (source, data) => {
    const { event: checked } = accepted(source)
    expect(text(checked.source)).toBe(source.trim())
    expect(text(checked.source.subarray(checked.dataStart, checked.dataEnd))).toBe(data)
  })

  it('spans its own bytes where it is one of several in a buffer', () => {
    const one = JSON.stringify(event({ type: 'acme.a', data: { n: 1 } }))
    const buffer = Buffer.from(`[ ${one} , ${one}]`)
    const start = buffer.lastIndexOf(' {')
    const result = read(buffer, {}, { start, end: buffer.length - 1 })
    if (!result.ok) throw new Error(result.refusal.detail)
    expect(text(result.event.source)).toBe(one)
    expect(text(result.event.source.subarray(result.event.dataStart, result.event.dataEnd))).toBe('{"n":1}')
  })
})

describe('the deadline', () => {
  const asked = (data: object, extra: object = {}) =>
    accepted(event({ type: 'agent.approval.requested', data, ...extra })).event.deadline

  it('is expires_at of data for a requested approval, and of the envelope where that has one', () => {
    expect(asked({ expires_at: '2026-11-23T22:02:15Z' })).toBe(Date.UTC(2026, 10, 23, 22, 2, 15))
    const both = asked({ expires_at: '2026-11-23T22:02:15Z' }, { expires_at: '2026-11-24T00:00:00Z' })
    expect(both).toBe(Date.UTC(2026, 10, 24))
  })

  it('is not taken from data of any other type', () => {
    for (const type of ['agent.run.started', 'acme.approval.requested']) {
      const data = { status: 'running', expires_at: '2026-11-23T22:02:15Z' }
      expect(accepted(event({ type, data })).event.deadline, type).toBeNull()
    }
  })

  it('is none where data says nothing readable', () => {
    for (const expires_at of ['soon', 5, null, { at: '2026-11-23T22:02:15Z' }]) expect(asked({ expires_at })).toBeNull()
    expect(asked({ inner: { expires_at: '2026-11-23T22:02:15Z' } })).toBeNull()
  })
})

describe('the tenant', () => {
  const tenantOf = (key: string | null, input: Record<string, unknown> = {}) =>
    accepted(event(input), { keyTenantId: key }).event.tenantId

  it('is that of a bound key, or what the body says for an unbound one, else default', () => {
    expect(tenantOf('acme')).toBe('acme')
    expect(tenantOf('acme', { tenant_id: 'acme' })).toBe('acme')
    expect(tenantOf(null, { tenant_id: 'other' })).toBe('other')
    expect(tenantOf(null)).toBe('default')
  })

  it('may not be another than that of a bound key: 403', () => {
    for (const tenant_id of ['other', 'default', 'Acme', 'acme ']) {
      const refusal = refused(event({ tenant_id }), { keyTenantId: 'acme' })
      expect(refusal.code).toBe('insufficient_scope')
      expect(refusal.errors).toMatchObject([{ path: '/tenant_id' }])
    }
  })

  it('is never all tenants', () => {
    expect(errorsAt(event({ tenant_id: '*' }), '/tenant_id')).toHaveLength(1)
  })
})

describe('the idempotency key', () => {
  const keyOf = (input: Record<string, unknown>, header: string | null = null) =>
    accepted(event(input), { idempotencyKey: header }).event.idempotencyKey

  it('comes from the item, else from the header', () => {
    expect(keyOf({})).toBeNull()
    expect(keyOf({ idempotency_key: 'own' })).toBe('own')
    expect(keyOf({}, 'header')).toBe('header')
    expect(keyOf({ idempotency_key: 'own' }, 'header')).toBe('own')
  })

  it('counts for nothing where there is an event id', () => {
    expect(keyOf({ event_id: 'evt_12345678', idempotency_key: 'own' }, 'header')).toBeNull()
  })

  it('is 1 to 255 printable ASCII characters, without spaces around them', () => {
    for (const key of ['k', 'a b', '~!', 'x'.repeat(255)]) expect(keyOf({ idempotency_key: key })).toBe(key)
    for (const bad of ['', ' ', ' a', 'a ', 'é', 'a\n', 'x'.repeat(256), 5, null]) {
      expect(errorsAt(event({ idempotency_key: bad }), '/idempotency_key'), String(bad)).toHaveLength(1)
    }
  })
})

describe('warnings', () => {
  it('names what agent does not have, and leaves it out of the body', () => {
    const { event: checked, warnings } = accepted(
      event({ agent: { version: '2', mood: 'good', id: 'a', 'x/y~z': 1, name: 'A' } }),
    )
    expect(warnings.map(({ code, path }) => ({ code, path }))).toEqual([
      { code: 'field_dropped', path: '/agent/mood' },
      { code: 'field_dropped', path: '/agent/x~1y~0z' },
    ])
    expect(text(completeBody(checked, NOW, 1))).toContain('"agent":{"id":"a","name":"A","version":"2"}')
  })

  it('are bounded, however much there is to warn of', () => {
    const agent = Object.fromEntries([['id', 'a'], ...Array.from({ length: 5000 }, (_, index) => [`x${index}`, 1])])
    const big = event({ type: 'acme.a', agent, data: { text: 'x'.repeat(30_000) } })
    const { warnings } = accepted(big)
    expect(warnings.length).toBeLessThanOrEqual(21)
    expect(warnings.at(-1)?.code).toBe('large_body')
  })

  it('say when the event is larger than recommended, counted without white space around it', () => {
    const exact = JSON.stringify(event())
    const size = Buffer.byteLength(exact)
    expect(accepted(exact, { warnBytes: size }).warnings).toEqual([])
    expect(accepted(`  ${exact}\n`, { warnBytes: size }).warnings).toEqual([])
    const { warnings } = accepted(exact, { warnBytes: size - 1 })
    expect(warnings).toMatchObject([{ code: 'large_body', path: '' }])
    expect(warnings[0]?.message).toContain(String(size))
  })
})

const examples = fileURLToPath(new URL('../../../../../shared/contract/examples.ndjson', import.meta.url))

describe('the examples of the contract', () => {
  it('pass once what only Runbell writes is taken away', (test) => {
    if (!existsSync(examples)) test.skip(`there is no ${examples}`)
    const lines = readFileSync(examples, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    expect(lines).toHaveLength(16)
    for (const line of lines) {
      const { recorded_at, sequence, withheld: _, ...input } = JSON.parse(line) as Record<string, unknown>
      const mode = input['mode'] as 'live' | 'test'
      const { event: checked } = accepted(JSON.stringify(input), { mode })
      const body = JSON.parse(
        text(completeBody(checked, Date.parse(recorded_at as string), (sequence as number) ?? null)),
      )
      expect(body).toEqual({ ...input, recorded_at, ...(sequence === undefined ? {} : { sequence }) })
    }
  })
})
