import type { EventError } from '@runbell/sdk/catalog'
import type { Agent, Mode } from '@runbell/sdk/contract'
import { idPrefix } from '@runbell/sdk/contract'
import type { OtlpSpan } from './otlp-data.ts'
import { agentOf, tenantOf } from './otlp-diagnostic.ts'
import { idOf, msOf, nameOf, spanIdOf, traceIdOf } from './otlp-ids.ts'
import { errorOfType } from './span-error.ts'

/** An event that a span tells of, as it would be published. */
export interface SpanEvent {
  event_id: string
  type: string
  schema_version: 1
  timestamp: string
  tenant_id: string
  run_id: string
  agent: Agent
  trace_id: string
  data: Record<string, unknown>
}

export interface SpanEventContext {
  mode: Mode
  keyTenantId: string | null
  /** 43 characters of base64url: SHA-256. */
  digest(text: string): string
}

const TOOL_TYPES = new Set(['function', 'extension', 'datastore'])
const ERROR = 2
/** Where neither the span nor its resource says who acted. */
const NOBODY: Agent = { id: 'otlp' }

/**
 * The events that a span tells of: two for each `execute_tool`, and two for the `invoke_agent` that a run is. Nothing in them is from
 * the contents of messages or the text of an error. Made again from the same span they have the same bytes, so a span that is sent
 * again makes duplicates.
 */
export function eventsOfSpan(span: OtlpSpan, context: SpanEventContext): SpanEvent[] {
  const operation = span.attributes.get('gen_ai.operation.name')
  if (operation === 'execute_tool') return toolEvents(span, context)
  return operation === 'invoke_agent' && isRun(span) ? runEvents(span, context) : []
}

/** A run is what a trace begins with, or what the application calls one; agents within it belong to it. */
function isRun({ parentSpanId, attributes }: OtlpSpan): boolean {
  return spanIdOf(parentSpanId) === null || idOf(['runbell.run_id'], attributes) !== null
}

function toolEvents(span: OtlpSpan, context: SpanEventContext): SpanEvent[] {
  const name = nameOf(span.attributes.get('gen_ai.tool.name'))
  const common = commonOf(span, context)
  if (name === null || common === null) return []
  const type = span.attributes.get('gen_ai.tool.type')
  const tool = { name, ...(typeof type === 'string' && TOOL_TYPES.has(type) ? { type } : {}) }
  const call = { tool_call_id: idOf(['gen_ai.tool.call.id'], span.attributes) ?? span.spanId, tool }
  const { duration, started, ended, make } = common
  const error = errorOf(span, 'tool')
  return [
    make('agent.tool_call.started', started, { ...call, status: 'running' }),
    error === null
      ? make('agent.tool_call.completed', ended, { ...call, status: 'completed', ...duration })
      : make('agent.tool_call.failed', ended, { ...call, status: failedStatus(error), error, ...duration }),
  ]
}

function runEvents(span: OtlpSpan, context: SpanEventContext): SpanEvent[] {
  const common = commonOf(span, context)
  if (common === null) return []
  const { duration, started, ended, make } = common
  const error = errorOf(span, 'agent')
  const used = { ...duration, ...usageOf(span) }
  return [
    make('agent.run.started', started, { status: 'running' }),
    error === null
      ? make('agent.run.completed', ended, { status: 'completed', started_at: started, ...used })
      : make('agent.run.failed', ended, { status: failedStatus(error), error, ...used }),
  ]
}

/** What both events of a span share; `null`: it has no ids, or its clock was never set. */
function commonOf(span: OtlpSpan, context: SpanEventContext) {
  const { resource, attributes, startNanos, endNanos } = span
  const [trace_id, spanId] = [traceIdOf(span.traceId), spanIdOf(span.spanId)]
  const [startMs, endMs] = [msOf(startNanos), msOf(endNanos)]
  if (trace_id === null || spanId === null || startMs === null || endMs === null) return null
  const make = (type: string, timestamp: string, data: Record<string, unknown>): SpanEvent => ({
    event_id: idPrefix('event', context.mode) + context.digest(`${trace_id}:${spanId}:${type}`),
    type,
    schema_version: 1,
    timestamp,
    tenant_id: tenantOf(resource, context.keyTenantId),
    run_id: idOf(['runbell.run_id'], attributes, resource) ?? trace_id,
    agent: agentOf(attributes, resource) ?? NOBODY,
    trace_id,
    data,
  })
  const [started, ended] = [startMs, endMs].map((ms) => new Date(ms).toISOString()) as [string, string]
  return { started, ended, make, duration: endMs >= startMs ? { duration_ms: endMs - startMs } : {} }
}

function errorOf({ attributes, statusCode }: OtlpSpan, origin: 'tool' | 'agent'): EventError | null {
  const type = attributes.get('error.type')
  if (statusCode !== ERROR && type === undefined) return null
  return errorOfType(typeof type === 'string' ? type : '', origin)
}

function failedStatus({ code }: EventError): 'timed_out' | 'failed' {
  return code === 'timeout' ? 'timed_out' : 'failed'
}

function usageOf({ attributes }: OtlpSpan): { usage?: Record<string, number> } {
  const usage: Record<string, number> = {}
  for (const name of ['input_tokens', 'output_tokens']) {
    const tokens = attributes.get(`gen_ai.usage.${name}`)
    if (typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0) usage[name] = tokens
  }
  return Object.keys(usage).length === 0 ? {} : { usage }
}
