import type { Agent, DiagnosticSeverity } from '@runbell/sdk/contract'
import { diagnosticNameProblem, type Diagnostic, type JsonValue } from '../diagnostics/diagnostic.ts'
import type { Attributes, OtlpLog, OtlpSpan } from './otlp-data.ts'
import { idOf, msOf, nameOf, spanIdOf, traceIdOf } from './otlp-ids.ts'

export interface OtlpContext {
  /** The tenant the key is bound to, or `null`. */
  keyTenantId: string | null
  /** Service time in ms: the time of what brings none. */
  now: number
}

/** A diagnostic, or a clause on why it is none. */
export type OtlpDiagnostic = Diagnostic | string

/** What of a resource is kept: who sent it. */
const RESOURCE = ['service.name', 'service.version', 'service.namespace', 'deployment.environment.name']
/** What of an exception that a span has recorded is kept. */
const EXCEPTION = ['exception.type', 'exception.message', 'exception.stacktrace']
const DEFAULT_TENANT = 'default'
/** `SpanKind` from 1. */
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']
const ERROR = 2

/** A span as a diagnostic: GenAI operations by their names, everything else as `span`. */
export function diagnosticOfSpan(span: OtlpSpan, context: OtlpContext): OtlpDiagnostic {
  const { resource, attributes, events } = span
  const traceId = traceIdOf(span.traceId)
  const spanId = spanIdOf(span.spanId)
  if (traceId === null || spanId === null) return 'a span has no trace id or no span id'
  const durationNanos = span.endNanos - span.startNanos
  const kept = new Map<string, JsonValue>([['span.name', span.name]])
  const kind = KINDS[span.kind - 1]
  if (kind !== undefined) kept.set('span.kind', kind)
  if (span.statusMessage !== '') kept.set('span.status_message', span.statusMessage)
  // Their contents are opt-in in the conventions, and stay away: what matters of most is that they were there.
  if (events.length > 0) kept.set('span.events', events.length)
  for (const { attributes: ofException } of events.filter(({ name }) => name === 'exception')) {
    for (const name of EXCEPTION) if (ofException.has(name)) kept.set(name, ofException.get(name) ?? null)
  }
  return {
    ...commonOf(resource, attributes, traceId, context),
    name: operationName(attributes) ?? 'span',
    severity: span.statusCode === ERROR ? 'error' : 'info',
    timestamp: msOf(span.startNanos) ?? context.now,
    durationMs: durationNanos >= 0n && durationNanos < MOST_NANOS ? Number(durationNanos) / 1e6 : null,
    ...{ traceId, spanId, parentSpanId: spanIdOf(span.parentSpanId), source: 'otlp_span', message: null },
    attributes: [...joined(resource, attributes, kept)],
  }
}

/** Longer than a year is no duration but a clock that was set. */
const MOST_NANOS = 366n * 86_400_000_000_000n

/** A log record as a diagnostic: named by its event, where it is one. */
export function diagnosticOfLog(log: OtlpLog, context: OtlpContext): OtlpDiagnostic {
  const { resource, attributes, body } = log
  const traceId = traceIdOf(log.traceId)
  const kept = new Map<string, JsonValue>()
  if (body !== null && typeof body !== 'string') kept.set('log.body', body)
  const name = validName(log.eventName) ?? validName(attributes.get('event.name'))
  return {
    ...commonOf(resource, attributes, traceId, context),
    name: name ?? operationName(attributes) ?? 'log',
    severity: severityOf(log.severityNumber),
    timestamp: msOf(log.timeNanos) ?? context.now,
    durationMs: null,
    ...{ traceId, spanId: spanIdOf(log.spanId), parentSpanId: null, source: 'otlp_log' },
    message: typeof body === 'string' && body !== '' ? body : null,
    attributes: [...joined(resource, attributes, kept)],
  }
}

type Common = 'tenantId' | 'runId' | 'taskId' | 'conversationId' | 'agent' | 'declared'

function commonOf(
  resource: Attributes,
  attributes: Attributes,
  traceId: string | null,
  { keyTenantId }: OtlpContext,
): Pick<Diagnostic, Common> {
  return {
    tenantId: tenantOf(resource, keyTenantId),
    // Everything of a trace is of one run, unless the application says of which.
    runId: idOf(['runbell.run_id'], attributes, resource) ?? traceId,
    taskId: idOf(['runbell.task_id'], attributes, resource),
    conversationId: nameOf(attributes.get('gen_ai.conversation.id')),
    agent: agentOf(attributes, resource),
    declared: new Map(),
  }
}

/** A key's own tenant; one that is bound to none says whose it is in the resource. */
export function tenantOf(resource: Attributes, keyTenantId: string | null): string {
  const said = nameOf(resource.get('runbell.tenant_id'))
  return keyTenantId ?? (said === '*' ? null : said) ?? DEFAULT_TENANT
}

/** Who acted: the agent that the span names, or else the service. */
export function agentOf(attributes: Attributes, resource: Attributes): Agent | null {
  const name = nameOf(attributes.get('gen_ai.agent.name'))
  const id = nameOf(attributes.get('gen_ai.agent.id')) ?? name ?? nameOf(resource.get('service.name'))
  if (id === null) return null
  const version = nameOf(attributes.get('gen_ai.agent.version')) ?? nameOf(resource.get('service.version'))
  return {
    id,
    ...(name === null ? {} : { name }),
    ...(version === null || version.length > 64 ? {} : { version }),
  }
}

function operationName(attributes: Attributes): string | null {
  const operation = attributes.get('gen_ai.operation.name')
  return typeof operation === 'string' ? validName(`gen_ai.${operation}`) : null
}

function validName(name: JsonValue | undefined): string | null {
  return typeof name === 'string' && diagnosticNameProblem(name) === null ? name : null
}

/** Without what stands in fields of its own. */
function* joined(resource: Attributes, attributes: Attributes, kept: Attributes): Generator<[string, JsonValue]> {
  const own = new Map<string, JsonValue>()
  for (const name of RESOURCE) if (resource.has(name)) own.set(name, resource.get(name) ?? null)
  for (const [name, value] of attributes) if (name !== '' && !name.startsWith('runbell.')) own.set(name, value)
  for (const [name, value] of kept) own.set(name, value)
  yield* own
}

/** `SeverityNumber`: four steps for each word (OpenTelemetry, "Logs Data Model"). */
function severityOf(number: number): DiagnosticSeverity {
  if (number < 1 || number > 24) return 'info'
  const words: readonly DiagnosticSeverity[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return words[Math.floor((number - 1) / 4)] ?? 'info'
}
