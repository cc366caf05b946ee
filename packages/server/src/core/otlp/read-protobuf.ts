import type { JsonValue } from '../diagnostics/diagnostic.ts'
import type { DecodeText } from '../json-string.ts'
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
import { ProtobufReader } from './protobuf-reader.ts'

/** The spans of an `ExportTraceServiceRequest`, each read when it is asked for: work can be interrupted between two. @throws OtlpError */
export function* readProtobufSpans(bytes: Uint8Array, decode: DecodeText, limits: OtlpLimits): Generator<OtlpSpan> {
  const count = new OtlpCount(limits)
  for (const { item, resource } of readItems(new ProtobufReader(bytes, decode), count)) {
    yield { ...readSpan(item, count), resource }
  }
}

/** The log records of an `ExportLogsServiceRequest`. @throws OtlpError */
export function* readProtobufLogs(bytes: Uint8Array, decode: DecodeText, limits: OtlpLimits): Generator<OtlpLog> {
  const count = new OtlpCount(limits)
  for (const { item, resource } of readItems(new ProtobufReader(bytes, decode), count)) {
    yield { ...readLog(item, count), resource }
  }
}

interface Item {
  item: ProtobufReader
  resource: Attributes
}

/** Both requests are lists of resources with lists of scopes with lists of items, under the same numbers. */
function* readItems(request: ProtobufReader, count: OtlpCount): Generator<Item> {
  while (request.next()) {
    if (request.field !== 1) request.skip()
    else {
      count.value()
      yield* readResource(request.message(), count)
    }
  }
}

function* readResource(group: ProtobufReader, count: OtlpCount): Generator<Item> {
  // It may stand behind what it is about.
  const ahead = group.again()
  let resource: Attributes = new Map()
  while (ahead.next()) {
    if (ahead.field === 1) resource = readAttributesIn(ahead.message(), 1, count)
    else ahead.skip()
  }
  while (group.next()) {
    if (group.field !== 2) group.skip()
    else {
      count.value()
      const scope = group.message()
      while (scope.next()) {
        if (scope.field !== 2) scope.skip()
        else {
          count.item()
          yield { item: scope.message(), resource }
        }
      }
    }
  }
}

function readSpan(reader: ProtobufReader, count: OtlpCount): Omit<OtlpSpan, 'resource'> {
  const attributes = new Map<string, JsonValue>()
  const events: OtlpSpan['events'][number][] = []
  const span = {
    ...{ traceId: '', spanId: '', parentSpanId: '', name: '', kind: 0, startNanos: 0n, endNanos: 0n },
    ...{ attributes, events, statusCode: 0, statusMessage: '' },
  }
  while (reader.next()) {
    if (reader.field === 1) span.traceId = reader.hex()
    else if (reader.field === 2) span.spanId = reader.hex()
    else if (reader.field === 4) span.parentSpanId = reader.hex()
    else if (reader.field === 5) span.name = reader.text()
    else if (reader.field === 6) span.kind = reader.small()
    else if (reader.field === 7) span.startNanos = reader.fixed64()
    else if (reader.field === 8) span.endNanos = reader.fixed64()
    else if (reader.field === 9) readAttribute(reader.message(), attributes, count, 0)
    else if (reader.field === 11) events.push(readSpanEvent(reader.message(), count))
    else if (reader.field === 15) Object.assign(span, readStatus(reader.message()))
    else reader.skip()
  }
  return span
}

function readSpanEvent(reader: ProtobufReader, count: OtlpCount): OtlpSpan['events'][number] {
  count.value()
  let name = ''
  const attributes = new Map<string, JsonValue>()
  while (reader.next()) {
    if (reader.field === 2) name = reader.text()
    else if (reader.field === 3) readAttribute(reader.message(), attributes, count, 0)
    else reader.skip()
  }
  return { name, attributes }
}

function readStatus(reader: ProtobufReader): Pick<OtlpSpan, 'statusCode' | 'statusMessage'> {
  const status = { statusCode: 0, statusMessage: '' }
  while (reader.next()) {
    if (reader.field === 2) status.statusMessage = reader.text()
    else if (reader.field === 3) status.statusCode = reader.small()
    else reader.skip()
  }
  return status
}

function readLog(reader: ProtobufReader, count: OtlpCount): Omit<OtlpLog, 'resource'> {
  const attributes = new Map<string, JsonValue>()
  let body: JsonValue = null
  let [timeNanos, observedNanos] = [0n, 0n]
  const log = { traceId: '', spanId: '', severityNumber: 0, eventName: '' }
  while (reader.next()) {
    if (reader.field === 1) timeNanos = reader.fixed64()
    else if (reader.field === 2) log.severityNumber = reader.small()
    else if (reader.field === 5) body = readValue(reader.message(), count, 0)
    else if (reader.field === 6) readAttribute(reader.message(), attributes, count, 0)
    else if (reader.field === 9) log.traceId = reader.hex()
    else if (reader.field === 10) log.spanId = reader.hex()
    else if (reader.field === 11) observedNanos = reader.fixed64()
    else if (reader.field === 12) log.eventName = reader.text()
    else reader.skip()
  }
  return { ...log, timeNanos: timeNanos === 0n ? observedNanos : timeNanos, body, attributes }
}

/** A message that has attributes in the field of this number. */
function readAttributesIn(reader: ProtobufReader, field: number, count: OtlpCount): Attributes {
  const attributes = new Map<string, JsonValue>()
  while (reader.next()) {
    if (reader.field === field) readAttribute(reader.message(), attributes, count, 0)
    else reader.skip()
  }
  return attributes
}

/** A `KeyValue`. */
function readAttribute(reader: ProtobufReader, into: Map<string, JsonValue>, count: OtlpCount, depth: number): void {
  count.value()
  let key = ''
  let value: JsonValue = null
  while (reader.next()) {
    if (reader.field === 1) key = reader.text()
    else if (reader.field === 2) value = readValue(reader.message(), count, depth)
    else reader.skip()
  }
  into.set(key, value)
}

/** An `AnyValue`; of several the last one counts. */
function readValue(reader: ProtobufReader, count: OtlpCount, depth: number): JsonValue {
  if (depth > MAX_VALUE_DEPTH) throw new OtlpError('malformed', 'a value is nested too deeply')
  let value: JsonValue = null
  while (reader.next()) {
    if (reader.field === 1) value = reader.text()
    else if (reader.field === 2) value = reader.bool()
    else if (reader.field === 3) value = integerValue(reader.int64())
    else if (reader.field === 4) value = reader.double()
    else if (reader.field === 5) value = readList(reader.message(), count, depth + 1)
    else if (reader.field === 6) value = readMap(reader.message(), count, depth + 1)
    else if (reader.field === 7) value = bytesValue(reader.byteLength())
    else reader.skip()
  }
  return value
}

function readList(reader: ProtobufReader, count: OtlpCount, depth: number): JsonValue {
  const values: JsonValue[] = []
  while (reader.next()) {
    if (reader.field === 1) {
      count.value()
      values.push(readValue(reader.message(), count, depth))
    } else reader.skip()
  }
  return values
}

function readMap(reader: ProtobufReader, count: OtlpCount, depth: number): JsonValue {
  const members = new Map<string, JsonValue>()
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader.message(), members, count, depth)
    else reader.skip()
  }
  return Object.fromEntries(members)
}
