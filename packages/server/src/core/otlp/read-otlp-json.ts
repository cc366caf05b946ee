import type { JsonValue } from '../diagnostics/diagnostic.ts'
import type { JsonIndex } from '../json-index.ts'
import {
  bytesValue,
  integerValue,
  MAX_VALUE_DEPTH,
  OtlpCount,
  OtlpError,
  type Attributes,
  type OtlpLimits,
  type OtlpLog,
  type OtlpSpan,
} from './otlp-data.ts'

/** What JSON gives, of which nothing is known. */
type Given = unknown
type Members = Readonly<Record<string, Given>>

/** The spans of an OTLP JSON request (OTLP 1.x, "JSON Protobuf Encoding"), each made when it is asked for. @throws OtlpError */
export function* readJsonSpans(json: JsonIndex, limits: OtlpLimits): Generator<OtlpSpan> {
  const count = new OtlpCount(limits)
  for (const { item, resource } of readItems(json, ['resourceSpans', 'scopeSpans', 'spans'], count)) {
    yield { ...readSpan(item, count), resource }
  }
}

/** The log records of an OTLP JSON request. @throws OtlpError */
export function* readJsonLogs(json: JsonIndex, limits: OtlpLimits): Generator<OtlpLog> {
  const count = new OtlpCount(limits)
  for (const { item, resource } of readItems(json, ['resourceLogs', 'scopeLogs', 'logRecords'], count)) {
    yield { ...readLog(item, count), resource }
  }
}

function* readItems(
  json: JsonIndex,
  [resources, scopes, items]: readonly [string, string, string],
  count: OtlpCount,
): Generator<{ item: Members; resource: Attributes }> {
  if (json.kind(json.root) !== 'object') throw malformed('the request is no object')
  for (const group of nodes(json, json.root, resources)) {
    const about = json.member(group, 'resource')
    const isNone = about === -1 || json.kind(about) === 'null'
    const resource = isNone ? new Map() : readAttributes(object(json.value(about), 'resource'), count)
    for (const scope of nodes(json, group, scopes)) {
      for (const item of nodes(json, scope, items)) {
        count.item()
        yield { item: object(json.value(item), items), resource }
      }
    }
  }
}

/** The objects in the list that is the member of this name. */
function* nodes(json: JsonIndex, parent: number, name: string): Generator<number> {
  const node = json.member(parent, name)
  if (node === -1 || json.kind(node) === 'null') return
  if (json.kind(node) !== 'array') throw malformed(`${name} is no list`)
  for (const child of json.children(node)) {
    if (json.kind(child) !== 'object') throw malformed(`${name} has something that is no object`)
    yield child
  }
}

function readSpan(span: Members, count: OtlpCount): Omit<OtlpSpan, 'resource'> {
  const status = object(span['status'] ?? {}, 'status')
  return {
    traceId: hex(span, 'traceId'),
    spanId: hex(span, 'spanId'),
    parentSpanId: hex(span, 'parentSpanId'),
    name: text(span, 'name'),
    kind: Number(integer(span, 'kind')),
    startNanos: integer(span, 'startTimeUnixNano'),
    endNanos: integer(span, 'endTimeUnixNano'),
    attributes: readAttributes(span, count),
    events: list(span, 'events').map((event) => {
      count.value()
      const members = object(event, 'events')
      return { name: text(members, 'name'), attributes: readAttributes(members, count) }
    }),
    statusCode: Number(integer(status, 'code')),
    statusMessage: text(status, 'message'),
  }
}

function readLog(log: Members, count: OtlpCount): Omit<OtlpLog, 'resource'> {
  const time = integer(log, 'timeUnixNano')
  return {
    traceId: hex(log, 'traceId'),
    spanId: hex(log, 'spanId'),
    timeNanos: time === 0n ? integer(log, 'observedTimeUnixNano') : time,
    severityNumber: Number(integer(log, 'severityNumber')),
    eventName: text(log, 'eventName'),
    body: log['body'] === undefined || log['body'] === null ? null : readValue(log['body'], count, 0),
    attributes: readAttributes(log, count),
  }
}

function readAttributes(members: Members, count: OtlpCount): Attributes {
  return readPairs(list(members, 'attributes'), count, 0)
}

function readPairs(pairs: readonly Given[], count: OtlpCount, depth: number): Map<string, JsonValue> {
  const attributes = new Map<string, JsonValue>()
  for (const pair of pairs) {
    count.value()
    const members = object(pair, 'attributes')
    const value = members['value']
    const isNone = value === undefined || value === null
    attributes.set(text(members, 'key'), isNone ? null : readValue(value, count, depth))
  }
  return attributes
}

function readValue(given: Given, count: OtlpCount, depth: number): JsonValue {
  if (depth > MAX_VALUE_DEPTH) throw malformed('a value is nested too deeply')
  const value = object(given, 'value')
  if (Object.hasOwn(value, 'stringValue')) return text(value, 'stringValue')
  if (Object.hasOwn(value, 'boolValue')) return value['boolValue'] === true
  if (Object.hasOwn(value, 'intValue')) return integerValue(integer(value, 'intValue'))
  if (Object.hasOwn(value, 'doubleValue')) return double(value['doubleValue'])
  if (Object.hasOwn(value, 'bytesValue')) return bytesValue(Math.floor((text(value, 'bytesValue').length * 3) / 4))
  if (Object.hasOwn(value, 'arrayValue')) {
    return list(object(value['arrayValue'], 'arrayValue'), 'values').map((item) => {
      count.value()
      return readValue(item, count, depth + 1)
    })
  }
  if (!Object.hasOwn(value, 'kvlistValue')) return null
  return Object.fromEntries(readPairs(list(object(value['kvlistValue'], 'kvlistValue'), 'values'), count, depth + 1))
}

function object(given: Given, what: string): Members {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Members
  throw malformed(`${what} is no object`)
}

function list(members: Members, name: string): readonly Given[] {
  const given = members[name]
  if (given === undefined || given === null) return []
  if (Array.isArray(given)) return given
  throw malformed(`${name} is no list`)
}

function text(members: Members, name: string): string {
  const given = members[name]
  if (given === undefined || given === null) return ''
  if (typeof given === 'string') return given
  throw malformed(`${name} is no text`)
}

/** Ids are hex digits in OTLP's JSON, not base64 as elsewhere in protobuf's; in either case. */
function hex(members: Members, name: string): string {
  const given = text(members, name)
  if (/^[0-9a-fA-F]{0,32}$/.test(given)) return given.toLowerCase()
  throw malformed(`${name} is not up to 32 hex digits`)
}

/** 64-bit integers are texts of decimal digits, and small ones may be numbers. */
function integer(members: Members, name: string): bigint {
  const given = members[name]
  if (given === undefined || given === null) return 0n
  if (typeof given === 'string' && /^-?\d{1,20}$/.test(given)) return BigInt(given)
  if (typeof given === 'number' && Number.isInteger(given)) return BigInt(given)
  throw malformed(`${name} is no whole number`)
}

function double(given: Given): number {
  if (typeof given === 'number') return given
  const named =
    given === 'NaN' ? Number.NaN : given === 'Infinity' ? Infinity : given === '-Infinity' ? -Infinity : null
  if (named === null) throw malformed('doubleValue is no number')
  return named
}

function malformed(message: string): OtlpError {
  return new OtlpError('malformed', message)
}
