import {
  DATA_CLASSES,
  DIAGNOSTIC_SEVERITIES,
  PRODUCER_ID_PATTERN,
  TRACE_ID_PATTERN,
  type DataClass,
  type Mode,
} from '@runbell/sdk/contract'
import type { Refusal } from '../checked-event.ts'
import { maskCredentials } from '../credentials/mask-credentials.ts'
import { EnvelopeReader } from '../envelope-reader.ts'
import type { JsonIndex } from '../json-index.ts'
import { diagnosticNameProblem, SPAN_ID_PATTERN, type Diagnostic, type JsonValue } from './diagnostic.ts'

export interface DiagnosticContext {
  mode: Mode
  /** The tenant the key is bound to, or `null`. */
  keyTenantId: string | null
  /** Service time in ms: the timestamp of one that brings none. */
  now: number
}

export type DiagnosticRead = { ok: true; diagnostic: Diagnostic } | { ok: false; refusal: Refusal }

const MEMBERS = [
  ...['name', 'severity', 'timestamp', 'duration_ms', 'mode', 'tenant_id', 'run_id', 'task_id', 'conversation_id'],
  ...['agent', 'trace_id', 'span_id', 'parent_span_id', 'message', 'message_class', 'attributes', 'data_classes'],
]
const PRODUCER_ID = 'is 1 to 128 letters, digits or _.:/@=+- and starts with a letter or digit'
const SPAN_ID = 'is 16 lower-case hex digits (W3C span id)'
const DEFAULT_TENANT = 'default'
const MAX_DURATION_MS = 366 * 86_400_000

/** Reads a diagnostic as it is posted to `/v1/diagnostics`. */
export function readDiagnostic(json: JsonIndex, context: DiagnosticContext): DiagnosticRead {
  if (json.kind(json.root) !== 'object') {
    return refusal([{ path: '', message: `a diagnostic is an object, not ${json.kind(json.root)}` }])
  }
  const reader = new EnvelopeReader(json)
  reader.allowOnly(MEMBERS, { recorded_at: 'is given by Runbell', id: 'is given by Runbell' })
  const diagnostic = readMembers(json, reader, context)
  if (reader.errors.length > 0) return refusal(reader.errors)
  const { keyTenantId } = context
  if (keyTenantId === null || diagnostic.tenantId === keyTenantId) return { ok: true, diagnostic }
  return refusal([FOREIGN_TENANT], 'insufficient_scope', 'Leave tenant_id out, or use a key of that tenant.')
}

const FOREIGN_TENANT = { path: '/tenant_id', message: 'this API key is bound to another tenant' }

function readMembers(json: JsonIndex, reader: EnvelopeReader, context: DiagnosticContext): Diagnostic {
  return {
    name: readName(reader),
    severity: oneOf(reader, 'severity', DIAGNOSTIC_SEVERITIES) ?? 'info',
    timestamp: reader.time('timestamp') ?? context.now,
    durationMs: readDuration(json, reader),
    tenantId: readTenant(reader, context),
    runId: reader.pattern('run_id', PRODUCER_ID_PATTERN, PRODUCER_ID),
    taskId: reader.pattern('task_id', PRODUCER_ID_PATTERN, PRODUCER_ID),
    conversationId: reader.name('conversation_id', 255),
    agent: reader.node('agent') === -1 ? null : reader.agent(),
    traceId: reader.pattern('trace_id', TRACE_ID_PATTERN, 'is 32 lower-case hex digits (W3C trace id)'),
    spanId: reader.pattern('span_id', SPAN_ID_PATTERN, SPAN_ID),
    parentSpanId: reader.pattern('parent_span_id', SPAN_ID_PATTERN, SPAN_ID),
    source: 'api',
    message: reader.text('message'),
    attributes: readAttributes(json, reader),
    declared: readDeclared(json, reader),
  }
}

function readName(reader: EnvelopeReader): string {
  if (reader.node('name') === -1) reader.fail('/name', 'is required: what happened, such as model.call')
  const name = reader.text('name')
  const problem = name === null ? null : diagnosticNameProblem(name)
  if (problem !== null) reader.fail('/name', problem)
  return name ?? ''
}

function readTenant(reader: EnvelopeReader, { mode, keyTenantId }: DiagnosticContext): string {
  const said = reader.text('mode')
  if (said !== null && said !== mode) reader.fail('/mode', `is ${mode} for this API key`)
  const tenantId = reader.name('tenant_id', 255)
  if (tenantId === '*') reader.fail('/tenant_id', '"*" stands for all tenants and is no tenant')
  if (tenantId !== null && maskCredentials(tenantId) !== null) {
    reader.fail('/tenant_id', 'looks like a credential, which may not be an identifier')
  }
  return tenantId ?? keyTenantId ?? DEFAULT_TENANT
}

function readDuration(json: JsonIndex, reader: EnvelopeReader): number | null {
  const node = reader.node('duration_ms')
  if (node === -1) return null
  const value = json.kind(node) === 'number' ? (json.value(node) as number) : Number.NaN
  if (value >= 0 && value <= MAX_DURATION_MS) return value
  return reader.fail('/duration_ms', `is a number from 0 to ${MAX_DURATION_MS}`)
}

function readAttributes(json: JsonIndex, reader: EnvelopeReader): [string, JsonValue][] {
  const node = reader.node('attributes')
  if (node === -1) return []
  if (json.kind(node) === 'object') return Object.entries(json.value(node) as Record<string, JsonValue>)
  reader.fail('/attributes', 'is an object')
  return []
}

function readDeclared(json: JsonIndex, reader: EnvelopeReader): Map<string, DataClass> {
  const declared = new Map<string, DataClass>()
  const ofMessage = oneOf(reader, 'message_class', DATA_CLASSES)
  if (ofMessage !== null) declared.set('', ofMessage)
  const node = reader.node('data_classes')
  if (node === -1) return declared
  if (json.kind(node) !== 'object') {
    reader.fail('/data_classes', 'is an object of data classes by the names of attributes')
    return declared
  }
  for (const child of json.children(node)) {
    const text = json.kind(child) === 'string' ? json.text(child) : null
    const known = DATA_CLASSES.find((name) => name === text)
    if (known !== undefined) declared.set(json.keyText(child), known)
    else reader.fail(json.pointer(child, 128), `is one of ${DATA_CLASSES.join(', ')}`)
  }
  return declared
}

function oneOf<Word extends string>(reader: EnvelopeReader, key: string, words: readonly Word[]): Word | null {
  const text = reader.text(key)
  if (text === null) return null
  return words.find((word) => word === text) ?? reader.fail(`/${key}`, `is one of ${words.join(', ')}`)
}

function refusal(
  errors: Refusal['errors'],
  code: Refusal['code'] = 'invalid_request',
  fix = 'Correct the fields that `errors` names.',
): DiagnosticRead {
  const [first] = errors
  const where = first === undefined || first.path === '' ? '' : `${first.path} `
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const detail = `${where}${first?.message ?? 'The diagnostic is not valid'}${more}.`
  return { ok: false, refusal: { code, detail, errors, fix } }
}
