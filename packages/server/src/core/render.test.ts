import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ENVELOPE_KEYS } from '@runbell/sdk/contract'
import { completeBody } from '../store/body.ts'
import { completePrefix, formatTime, prepareEnvelope, type EnvelopeFields } from './render.ts'

const RECORDED_AT = Date.UTC(2026, 10, 23, 18, 2, 10, 188)

const ALL: EnvelopeFields = {
  eventId: 'evt_01KAXW2M7Q8R5T9V3B6N0P1C2D',
  type: 'agent.run.started',
  schemaVersion: 3,
  timestamp: Date.UTC(2026, 10, 23, 18, 2, 10, 120),
  expiresAt: Date.UTC(2026, 10, 24),
  mode: 'live',
  tenantId: 'acme "north"',
  runId: 'run_01KAXW2M5E',
  taskId: 'task-1',
  conversationId: 'thread \\ 8841 \u2028 😀',
  agent: { id: 'refund-agent', name: 'Zoë', version: '2026-11-02' },
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  causationId: 'evt_01KAXW2QF3',
  metadata: JSON.parse('{"order_region":"eu","__proto__":"own","quote":"\\"\\\\"}') as Record<string, string>,
}

const OPTIONAL = ['expiresAt', 'runId', 'taskId', 'conversationId', 'traceId', 'causationId', 'metadata'] as const

/** What the contract asks for, from the fields, without `withheld`: nothing is cut yet. */
function expectedEnvelope(fields: EnvelopeFields, sequence: number | null): Record<string, unknown> {
  const values: Record<string, unknown> = {
    event_id: fields.eventId,
    type: fields.type,
    schema_version: fields.schemaVersion,
    timestamp: new Date(fields.timestamp).toISOString(),
    recorded_at: new Date(RECORDED_AT).toISOString(),
    expires_at: fields.expiresAt === null ? null : new Date(fields.expiresAt).toISOString(),
    mode: fields.mode,
    tenant_id: fields.tenantId,
    run_id: fields.runId,
    task_id: fields.taskId,
    conversation_id: fields.conversationId,
    sequence,
    agent: fields.agent,
    trace_id: fields.traceId,
    causation_id: fields.causationId,
    metadata: fields.metadata,
    data: {},
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}

function bodyOf(fields: EnvelopeFields, data: string, sequence: number | null): Uint8Array {
  const source = Buffer.from(`  {"data":${data} }`)
  const dataStart = 10
  const dataEnd = dataStart + Buffer.byteLength(data)
  return completeBody({ envelope: prepareEnvelope(fields), source, dataStart, dataEnd }, RECORDED_AT, sequence)
}

const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

describe('a rendered body', () => {
  it('has the keys of the contract in its order, for every subset of the optional fields', () => {
    for (let subset = 0; subset < 2 ** OPTIONAL.length; subset++) {
      const fields = { ...ALL }
      OPTIONAL.forEach((key, bit) => {
        if ((subset & (1 << bit)) === 0) Object.assign(fields, { [key]: null })
      })
      const sequence = fields.runId === null ? null : 17
      const parsed = JSON.parse(text(bodyOf(fields, '{}', sequence))) as Record<string, unknown>
      const expected = expectedEnvelope(fields, sequence)
      expect(parsed).toEqual(expected)
      expect(Object.keys(parsed)).toEqual(ENVELOPE_KEYS.filter((key) => key in expected))
    }
  })

  it('keeps the bytes of data as they came', () => {
    const odd = ' {"n":1.0,"big":12345678901234567890,"e":1E400,"z":-0,"u":"\\u00e9é\\/","a" :\n[ ]\t}'.trim()
    const body = text(bodyOf(ALL, odd, 1))
    expect(body.endsWith(`,"data":${odd}}`)).toBe(true)
  })

  it('has no white space of its own and no sequence where there is no run', () => {
    const bare: EnvelopeFields = { ...ALL, agent: { id: 'a' } }
    for (const key of OPTIONAL) Object.assign(bare, { [key]: null })
    expect(text(bodyOf({ ...bare, tenantId: 'acme' }, '{}', null))).toBe(
      '{"event_id":"evt_01KAXW2M7Q8R5T9V3B6N0P1C2D","type":"agent.run.started","schema_version":3,' +
        '"timestamp":"2026-11-23T18:02:10.120Z","recorded_at":"2026-11-23T18:02:10.188Z","mode":"live",' +
        '"tenant_id":"acme","agent":{"id":"a"},"data":{}}',
    )
  })

  it('is valid for any text in any field', () => {
    const string = fc.string({ unit: 'binary' })
    const fields = fc.record({
      tenantId: string,
      conversationId: fc.option(string),
      agent: fc.record({ id: string, name: string }),
      metadata: fc.option(fc.dictionary(string, string, { maxKeys: 5 })),
    })
    fc.assert(
      fc.property(fields, fc.integer({ min: 1 }), (input, sequence) => {
        const all = { ...ALL, ...input }
        const parsed: unknown = JSON.parse(text(bodyOf(all, '{}', sequence)))
        // Written and read once more, since -0 and the like are no concern here but prototypes are.
        expect(parsed).toEqual(JSON.parse(JSON.stringify(expectedEnvelope(all, sequence))))
      }),
    )
  })
})

describe('completePrefix', () => {
  it('puts a time and a sequence into the same prepared envelope as often as it is asked', () => {
    const prepared = prepareEnvelope(ALL)
    const first = completePrefix(prepared, RECORDED_AT, 1)
    const second = completePrefix(prepared, RECORDED_AT + 1, 2)
    expect(first).toContain('"recorded_at":"2026-11-23T18:02:10.188Z"')
    expect(first).toContain('"sequence":1,"agent"')
    expect(second).toContain('"recorded_at":"2026-11-23T18:02:10.189Z"')
    expect(second).toContain('"sequence":2,"agent"')
  })
})

describe('formatTime', () => {
  it('writes RFC 3339 in UTC with milliseconds', () => {
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000Z')
    expect(formatTime(-62_167_219_200_000)).toBe('0000-01-01T00:00:00.000Z')
    expect(formatTime(253_402_300_799_999)).toBe('9999-12-31T23:59:59.999Z')
  })
})
