import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'

/*
 * OTLP requests as OpenTelemetry's own exporters write them, in either encoding.
 */

type SdkSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]
type SdkLog = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number]
type Encoding = 'json' | 'protobuf'

export const TRACE_ID = '5b8efff798038103d269b633813fc60c'
export const SPAN_ID = 'eee19b7ec3c1b174'
/** 2026-11-23T18:02:00Z. */
export const START_SECONDS = 1_795_456_920

export interface SpanInput {
  name?: string
  traceId?: string
  spanId?: string
  parentSpanId?: string
  /** Seconds after `START_SECONDS`, and nanoseconds. */
  start?: [number, number]
  end?: [number, number]
  attributes?: Record<string, unknown>
  resource?: Record<string, unknown>
  events?: { name: string; attributes?: Record<string, unknown> }[]
  error?: string | null
}

const resourceOf = (attributes: Record<string, unknown> = { 'service.name': 'refund-desk' }) =>
  ({
    attributes,
    getRawAttributes: () => Object.entries(attributes),
    merge: () => null,
  }) as unknown as SdkSpan['resource']

const SCOPE = { name: 'tests', version: '1' }

function sdkSpan(input: SpanInput): SdkSpan {
  const { traceId = TRACE_ID, spanId = SPAN_ID, parentSpanId, start = [0, 0], end = [1, 500_000_000] } = input
  const at = ([seconds, nanos]: [number, number]): [number, number] => [START_SECONDS + seconds, nanos]
  const { error = null, events = [] } = input
  return {
    name: input.name ?? 'work',
    kind: 2,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    ...(parentSpanId === undefined ? {} : { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: 1 } }),
    ...{ startTime: at(start), endTime: at(end), duration: [1, 0], ended: true, links: [] },
    status: error === null ? { code: 0 } : { code: 2, message: error },
    attributes: input.attributes ?? {},
    events: events.map((event) => ({ time: at(end), attributes: {}, ...event })),
    resource: resourceOf(input.resource),
    instrumentationScope: SCOPE,
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  }
}

export function traceRequest(encoding: Encoding, spans: SpanInput[]): Uint8Array<ArrayBuffer> {
  const serializer = encoding === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer
  return new Uint8Array(serializer.serializeRequest(spans.map(sdkSpan)) ?? [])
}

export interface LogInput {
  severityNumber?: number
  eventName?: string
  body?: unknown
  attributes?: Record<string, unknown>
  inTrace?: boolean
}

export function logsRequest(encoding: Encoding, logs: LogInput[]): Uint8Array<ArrayBuffer> {
  const serializer = encoding === 'json' ? JsonLogsSerializer : ProtobufLogsSerializer
  const records = logs.map(({ severityNumber = 9, eventName, body, attributes = {}, inTrace = true }): SdkLog => ({
    ...{ hrTime: [START_SECONDS, 0], hrTimeObserved: [START_SECONDS + 1, 0], severityNumber },
    ...(inTrace ? { spanContext: { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 } } : {}),
    ...(eventName === undefined ? {} : { eventName }),
    body: body,
    attributes: attributes,
    resource: resourceOf(),
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
  }))
  return new Uint8Array(serializer.serializeRequest(records) ?? [])
}
