import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logsRequest, SPAN_ID, START_SECONDS, TRACE_ID, traceRequest, type SpanInput } from '../../../test/otlp.ts'
import { scanJson } from '../json-scan.ts'
import { OtlpError, type OtlpLog, type OtlpSpan } from './otlp-data.ts'
import { readJsonLogs, readJsonSpans } from './read-otlp-json.ts'
import { readProtobufLogs, readProtobufSpans } from './read-protobuf.ts'

const LIMITS = { items: 1000, values: 10_000 }
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const decode = (bytes: Uint8Array, start: number, end: number) => decoder.decode(bytes.subarray(start, end))

const spansIn = (bytes: Uint8Array, limits = LIMITS): OtlpSpan[] => [...readProtobufSpans(bytes, decode, limits)]
const logsIn = (bytes: Uint8Array): OtlpLog[] => [...readProtobufLogs(bytes, decode, LIMITS)]

function json(value: unknown) {
  const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value))
  const scan = scanJson(bytes, { maxDepth: 200 })
  if (!scan.ok) throw new Error(scan.error.message)
  return scan.json
}
const jsonSpans = (value: unknown): OtlpSpan[] => [...readJsonSpans(json(value), LIMITS)]

/** One protobuf field with a length; below 128 bytes. */
const field = (number: number, ...bytes: number[]) => [(number << 3) | 2, bytes.length, ...bytes]
const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes)
/** A request with one span that has these bytes. */
const spanWith = (...bytes: number[]) => bytesOf(...field(1, ...field(2, ...field(2, ...bytes))))

describe('what OpenTelemetry’s own exporters write', () => {
  const rich: SpanInput = {
    name: 'execute_tool search ✓',
    parentSpanId: 'aaaaaaaaaaaaaaaa',
    start: [1, 1_000_001],
    end: [2, 999],
    attributes: { text: 'ä€😀', yes: true, no: false, n: -5, big: 2 ** 52, half: 0.5, list: ['a', 'b'], none: '' },
    events: [{ name: 'exception', attributes: { 'exception.type': 'Error' } }, { name: 'other' }],
    error: 'it broke',
  }

  it('is read as it was meant, in both encodings alike', () => {
    const expected: OtlpSpan = {
      ...{
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        parentSpanId: 'aaaaaaaaaaaaaaaa',
        name: 'execute_tool search ✓',
        kind: 3,
      },
      startNanos: BigInt(START_SECONDS + 1) * 1_000_000_000n + 1_000_001n,
      endNanos: BigInt(START_SECONDS + 2) * 1_000_000_000n + 999n,
      attributes: new Map(Object.entries(rich.attributes ?? {})) as OtlpSpan['attributes'],
      events: [
        { name: 'exception', attributes: new Map([['exception.type', 'Error']]) },
        { name: 'other', attributes: new Map() },
      ],
      ...{ statusCode: 2, statusMessage: 'it broke', resource: new Map([['service.name', 'refund-desk']]) },
    }
    expect(spansIn(traceRequest('protobuf', [rich]))).toEqual([expected])
    expect(jsonSpans(traceRequest('json', [rich]))).toEqual([expected])
  })

  it('of logs, too', () => {
    const logs = [
      { severityNumber: 17, eventName: 'gen_ai.choice', body: { content: ['x', { deep: 1 }] }, attributes: { a: 1 } },
      { body: 'plain', inTrace: false },
    ]
    const read = logsIn(logsRequest('protobuf', logs))
    expect(read).toEqual([...readJsonLogs(json(logsRequest('json', logs)), LIMITS)])
    expect(read).toMatchObject([
      { traceId: TRACE_ID, severityNumber: 17, eventName: 'gen_ai.choice', body: { content: ['x', { deep: 1 }] } },
      { traceId: '', spanId: '', body: 'plain' },
    ])
  })

  it('whatever its attributes are, is the same in both encodings', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.integer(),
      fc.array(fc.string(), { maxLength: 3 }),
    )
    const attributes = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), value, { maxKeys: 6 })
    fc.assert(
      fc.property(fc.array(attributes, { maxLength: 4 }), (all) => {
        const spans = all.map((one) => ({ attributes: one, resource: one }))
        expect(spansIn(traceRequest('protobuf', spans))).toEqual(jsonSpans(traceRequest('json', spans)))
      }),
      { numRuns: 100 },
    )
  })
})

describe('protobuf that is hostile', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['a length beyond the end', bytesOf(0x0a, 0x05, 0x00), /beyond the end/],
    ['a length of nearly 2^64', bytesOf(0x0a, ...Array.from({ length: 9 }, () => 0xff), 0x01), /beyond the end/],
    ['a number without an end', bytesOf(...Array.from({ length: 11 }, () => 0xff)), /more than 64 bits/],
    ['a number that is cut off', bytesOf(0x0a, 0x80), /middle of a number/],
    ['field number 0', bytesOf(0x02, 0x00), /no field of this number/],
    ['a field number that is too large', bytesOf(0xfa, 0xff, 0xff, 0xff, 0xff, 0x01), /field number is too large/],
    ['a group', bytesOf(0x13), /wire type that is not used/],
    ['a wire type there is not', bytesOf(0x17), /wire type that is not used/],
    ['a fixed value that is cut off', spanWith(0x39, 1, 2, 3), /beyond the end/],
    ['a text that is not UTF-8', spanWith(...field(5, 0xc3, 0x28)), /not UTF-8/],
    ['an id that is too long', spanWith(...field(1, ...Array.from({ length: 17 }, () => 1))), /more than 16 bytes/],
    ['a text where a time should be', spanWith(...field(7, 1)), /another type/],
    ['a time where a text should be', spanWith(0x29, 1, 2, 3, 4, 5, 6, 7, 8), /another type/],
  ])('is refused: %s', (_what, bytes, message) => {
    expect(() => spansIn(bytes)).toThrow(OtlpError)
    expect(() => spansIn(bytes)).toThrow(message)
  })

  it('is passed over where nothing is known of it, and empty where there is nothing', () => {
    expect(spansIn(bytesOf())).toEqual([])
    expect(spansIn(bytesOf(0x48, 0x01, ...field(12, 1, 2), 0x5d, 1, 2, 3, 4, 0x59, 1, 2, 3, 4, 5, 6, 7, 8))).toEqual([])
    expect(spansIn(spanWith())).toMatchObject([{ traceId: '', name: '', startNanos: 0n }])
  })

  it('may have its resource behind its spans', () => {
    const keyValue = [...field(1, 0x61), ...field(2, 0x10, 0x01)]
    const resource = field(1, ...field(1, ...keyValue))
    const spans = field(2, ...field(2, ...field(5, 0x78)))
    const [span] = spansIn(bytesOf(...field(1, ...spans, ...resource)))
    expect(span).toMatchObject({ name: 'x', resource: new Map([['a', true]]) })
  })

  it('nests no deeper than may be, and never the stack', () => {
    const nested = (depth: number) => {
      let value = Uint8Array.from([0x10, 0x01])
      for (let level = 0; level < depth; level++) value = join(5, join(1, value))
      return join(1, join(2, join(2, join(9, join(2, value)))))
    }
    const join = (number: number, inner: Uint8Array): Uint8Array<ArrayBuffer> => {
      const length: number[] = []
      for (let rest = inner.length; ; rest >>>= 7) {
        length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80)
        if (rest < 0x80) break
      }
      return Uint8Array.from([(number << 3) | 2, ...length, ...inner])
    }
    expect(spansIn(nested(32))).toHaveLength(1)
    expect(() => spansIn(nested(33))).toThrow(/nested too deeply/)
    expect(() => spansIn(nested(3000))).toThrow(/nested too deeply/)
  })

  it('costs no more memory than may be: empty attributes, spans and resources are counted', () => {
    const limits = { items: 10, values: 10 }
    const many = (count: number, ...bytes: number[]) => Array.from({ length: count }, () => bytes).flat()
    expect(() => spansIn(spanWith(...many(20, 0x4a, 0)), limits)).toThrow(/at most 10 attributes/)
    expect(() => spansIn(bytesOf(...field(1, ...field(2, ...many(11, 0x12, 0)))), limits)).toThrow(/at most 10 spans/)
    expect(() => spansIn(bytesOf(...many(11, 0x0a, 0)), limits)).toThrow(/at most 10 attributes/)
    expect(() => spansIn(bytesOf(...field(1, ...many(11, 0x12, 0))), limits)).toThrow(/at most 10 attributes/)
  })

  it('is read or refused, and never anything else, whatever the bytes are', () => {
    const real = traceRequest('protobuf', [{ attributes: { a: 'b', list: ['x'] }, events: [{ name: 'e' }] }])
    const damaged = fc
      .array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
      .map((edits) => {
        const bytes = real.slice()
        for (const [at, byte] of edits) bytes[at] = byte
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        for (const read of [spansIn, logsIn]) {
          try {
            read(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(OtlpError)
          }
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('OTLP in JSON', () => {
  const request = (span: Record<string, unknown>) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  const value = (any: unknown) => jsonSpans(request({ attributes: [{ key: 'k', value: any }] }))[0]?.attributes.get('k')

  it.each<[unknown, unknown]>([
    [{ stringValue: 'a' }, 'a'],
    [{ intValue: '9007199254740993' }, '9007199254740993'],
    [{ intValue: '-12' }, -12],
    [{ intValue: 12 }, 12],
    [{ doubleValue: 1.5 }, 1.5],
    [{ doubleValue: 'NaN' }, Number.NaN],
    [{ boolValue: true }, true],
    [{ bytesValue: 'AAAA' }, '(3 bytes)'],
    [{ arrayValue: { values: [{ intValue: 1 }, {}] } }, [1, null]],
    [{ kvlistValue: { values: [{ key: '__proto__', value: { intValue: 1 } }] } }, JSON.parse('{"__proto__":1}')],
    [{}, null],
    [null, null],
    [{ futureValue: 1 }, null],
  ])('reads %j', (any, expected) => {
    expect(value(any)).toEqual(expected)
  })

  it('takes ids in capitals, and times as numbers and texts', () => {
    const [span] = jsonSpans(request({ traceId: TRACE_ID.toUpperCase(), startTimeUnixNano: 5, endTimeUnixNano: '7' }))
    expect(span).toMatchObject({ traceId: TRACE_ID, startNanos: 5n, endNanos: 7n })
  })

  it.each<[string, unknown]>([
    ['a list', []],
    ['a list that is none', { resourceSpans: {} }],
    ['a resource that is none', { resourceSpans: [{ resource: [] }] }],
    ['an item that is none', { resourceSpans: [1] }],
    ['an id in base64', request({ traceId: 'W47/95gDgQPSabYzgT/GDA==' })],
    ['an enumeration by its name', request({ kind: 'SPAN_KIND_SERVER' })],
    ['a time with a fraction', request({ startTimeUnixNano: 1.5 })],
    ['a number that is too long', request({ startTimeUnixNano: '1'.repeat(21) })],
    ['a name that is none', request({ name: 1 })],
    ['attributes that are none', request({ attributes: {} })],
    ['a value that is none', request({ attributes: [{ key: 'a', value: 1 }] })],
  ])('refuses %s', (_what, body) => {
    expect(() => jsonSpans(body)).toThrow(OtlpError)
  })
})
