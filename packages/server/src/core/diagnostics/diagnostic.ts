import type { Agent, DataClass, DiagnosticSeverity } from '@runbell/sdk/contract'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** What a diagnostic came as. */
export type DiagnosticSource = 'api' | 'otlp_span' | 'otlp_log'

/** A log record about a run, read and not yet masked, bounded or classified. */
export interface Diagnostic {
  name: string
  severity: DiagnosticSeverity
  /** When it happened, ms. */
  timestamp: number
  durationMs: number | null
  tenantId: string
  runId: string | null
  taskId: string | null
  conversationId: string | null
  agent: Agent | null
  /** 32 and 16 hex digits (W3C Trace Context). */
  traceId: string | null
  spanId: string | null
  parentSpanId: string | null
  source: DiagnosticSource
  message: string | null
  /** In the order they came, each name once. */
  attributes: readonly (readonly [name: string, value: JsonValue])[]
  /** What the producer says of attributes, by name; the message's is under `''`. */
  declared: ReadonlyMap<string, DataClass>
}

/** What a diagnostic is called: up to five segments, so that names can be asked for by globs. */
export const DIAGNOSTIC_NAME_PATTERN = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}$/
export const DIAGNOSTIC_NAME_MAX_LENGTH = 100
export const SPAN_ID_PATTERN = /^[0-9a-f]{16}$/

/** These are of events; a diagnostic of such a name would be taken for one. */
const RESERVED = /^(?:agent|runbell)\./

/** What is wrong with a name, or `null`. */
export function diagnosticNameProblem(name: string): string | null {
  if (name.length > DIAGNOSTIC_NAME_MAX_LENGTH || !DIAGNOSTIC_NAME_PATTERN.test(name)) {
    return 'is one to five segments of a-z 0-9 _, such as model.call, with 100 characters at most'
  }
  return RESERVED.test(name) ? 'agent. and runbell. are the names of events' : null
}
