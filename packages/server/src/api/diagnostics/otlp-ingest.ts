import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts'
import {
  diagnosticOfLog,
  diagnosticOfSpan,
  type OtlpContext,
  type OtlpDiagnostic,
} from '../../core/otlp/otlp-diagnostic.ts'
import { OtlpError, type OtlpLog, type OtlpSpan } from '../../core/otlp/otlp-data.ts'
import { readJsonLogs, readJsonSpans } from '../../core/otlp/read-otlp-json.ts'
import { readProtobufLogs, readProtobufSpans } from '../../core/otlp/read-protobuf.ts'
import type { SpanEvent } from '../../core/otlp/span-events.ts'
import type { Answer } from '../http/answer.ts'
import { isEncoded } from '../http/content-type.ts'
import { refused } from '../http/problem.ts'
import { DIAGNOSTIC_LIMITS, tooMany, type Ingest, type IngestCall } from './ingest.ts'
import { decodeStrictly, isGzip, otlpBytes, otlpEncoding, otlpJson, type OtlpEncoding } from './otlp-body.ts'
import { statusAnswer, takenAnswer } from './otlp-answer.ts'
import { Pace } from './pace.ts'
import { prepareAll, type Prepared } from './prepare-diagnostics.ts'
import { publishSpanEvents, spanEvents } from './publish-span-events.ts'

/** One of the two signals that are taken: how it is read, and what becomes of each of it. */
interface Signal<Item> {
  read(encoding: OtlpEncoding, bytes: Uint8Array): Iterable<Item>
  diagnosticOf(item: Item, context: OtlpContext): OtlpDiagnostic
  eventsOf(item: Item, call: IngestCall): SpanEvent[]
  rejectedName: string
}

const LIMITS = { items: DIAGNOSTIC_LIMITS.otlpItems, values: DIAGNOSTIC_LIMITS.otlpValues }

/** `POST /v1/otlp/v1/traces`. */
export const TRACES_INGEST = ingestOf<OtlpSpan>({
  read: (encoding, bytes) =>
    encoding === 'json' ? readJsonSpans(otlpJson(bytes), LIMITS) : readProtobufSpans(bytes, decodeStrictly, LIMITS),
  diagnosticOf: diagnosticOfSpan,
  eventsOf: spanEvents,
  rejectedName: 'rejectedSpans',
})

/** `POST /v1/otlp/v1/logs`. */
export const LOGS_INGEST = ingestOf<OtlpLog>({
  read: (encoding, bytes) =>
    encoding === 'json' ? readJsonLogs(otlpJson(bytes), LIMITS) : readProtobufLogs(bytes, decodeStrictly, LIMITS),
  diagnosticOf: diagnosticOfLog,
  eventsOf: () => [],
  rejectedName: 'rejectedLogRecords',
})

function ingestOf<Item>(signal: Signal<Item>): Ingest {
  return {
    refusal(header) {
      const encoding = header('content-encoding')
      if (otlpEncoding(header('content-type')) !== null && (!isEncoded(encoding) || isGzip(encoding))) return null
      const detail = 'This route takes application/x-protobuf and application/json, as they are or with gzip.'
      return refused(
        'unsupported_media_type',
        detail,
        'Set the protocol of the exporter to http/protobuf or http/json.',
      )
    },
    handle: (call) => takeSignal(call, signal),
    present: (problem, header) => {
      return otlpEncoding(header('content-type')) === 'protobuf' ? statusAnswer(problem) : problem
    },
  }
}

async function takeSignal<Item>(call: IngestCall, signal: Signal<Item>): Promise<Answer> {
  const { diagnostics, header } = call
  const encoding = otlpEncoding(header('content-type')) as OtlpEncoding
  const bytes = await otlpBytes(call)
  const taken = await diagnostics.oneAtATime(() => readAll(call, signal, encoding, bytes))
  const waits = taken.kept.flatMap((one) => (one.kind === 'limited' ? one.waitMs : []))
  if (waits.length > 0 && waits.length === taken.kept.length) throw tooMany(Math.min(...waits))
  // Events first: where they cannot be taken now, all of it comes again, and they are duplicates then.
  const untold = await publishSpanEvents(call, taken.events)
  await diagnostics.intake.add(taken.rows)
  const rejected = taken.unreadable + waits.length
  const words = [
    ...(taken.unreadable > 0 ? [`${taken.unreadable} without ids were not stored: ${taken.reason}.`] : []),
    ...(waits.length > 0 ? [`${waits.length} were not stored: their tenants have sent more than is taken.`] : []),
    ...untold,
  ]
  return takenAnswer(encoding, signal.rejectedName, { rejected, message: words.join(' ') })
}

interface Taken extends Prepared {
  events: SpanEvent[]
  /** Items that make no diagnostic, and why the first of them does not. */
  unreadable: number
  reason: string
}

async function readAll<Item>(
  call: IngestCall,
  { read, diagnosticOf, eventsOf }: Signal<Item>,
  encoding: OtlpEncoding,
  bytes: Uint8Array,
): Promise<Taken> {
  const { context, principal, diagnostics } = call
  const pace = new Pace(context.clock)
  const made: Diagnostic[] = []
  const events: SpanEvent[] = []
  let unreadable = 0
  let reason = ''
  const about = { keyTenantId: principal.tenantId, now: context.clock.now() }
  try {
    for (const item of read(encoding, bytes)) {
      const diagnostic = diagnosticOf(item, about)
      if (typeof diagnostic !== 'string') made.push(diagnostic)
      else if (unreadable++ === 0) reason = diagnostic
      if (diagnostics.spansAsEvents) events.push(...eventsOf(item, call))
      if (pace.isDue()) await pace.take()
    }
  } catch (error) {
    throw error instanceof OtlpError ? refusalOf(error) : error
  }
  return { ...(await prepareAll(call, made, pace)), events, unreadable, reason }
}

function refusalOf({ code, message }: OtlpError): Error {
  if (code === 'too_large') {
    return refused('payload_too_large', `${capital(message)}.`, 'Let the exporter send smaller batches.')
  }
  return refused('malformed_json', `The body is no OTLP request: ${message}.`, 'Send what the content type says.')
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
