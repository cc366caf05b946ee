import {
  EVENT_ID_PATTERN,
  EVENT_TYPE_MAX_LENGTH,
  EVENT_TYPE_PATTERN,
  PRODUCER_ID_PATTERN,
  TRACE_ID_PATTERN,
  eventIdFitsMode,
  type Mode,
  type ProblemCode,
} from '@runbell/sdk/contract'
import { BUILT_IN_TYPES, RESERVED_TYPE_PREFIXES } from '@runbell/sdk/catalog'
import type { CheckResult, Refusal } from './checked-event.ts'
import { EnvelopeReader } from './envelope-reader.ts'
import type { JsonIndex } from './json-index.ts'
import { nearest } from './nearest.ts'
import { prepareEnvelope, type EnvelopeFields } from './render.ts'

export interface CheckContext {
  /** The API key's mode. */
  mode: Mode
  /** The tenant the key is bound to, or `null`. */
  keyTenantId: string | null
  /** Service time in ms: the timestamp of an event that brings none. */
  now: number
  /** Above this many bytes there is a warning. */
  warnBytes: number
  /** From the `Idempotency-Key` header; an `event_id` in the body goes before it. */
  idempotencyKey: string | null
  newEventId(): string
}

const KNOWN_KEYS = [
  'type',
  'data',
  'event_id',
  'timestamp',
  'schema_version',
  'tenant_id',
  'run_id',
  'task_id',
  'conversation_id',
  'agent',
  'trace_id',
  'causation_id',
  'metadata',
  'expires_at',
  'mode',
  'idempotency_key',
] as const

const REFUSED_KEYS = {
  sequence: 'is given by Runbell at acceptance: leave it out',
  recorded_at: 'is given by Runbell at acceptance: leave it out',
  withheld: 'is written by Runbell: leave it out',
}

const PRODUCER_ID = 'is 1 to 128 letters, digits or _.:/@=+- and starts with a letter or digit'
const IDEMPOTENCY_KEY_PATTERN = /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/
const DEFAULT_TENANT = 'default'

/** Checks one published event as far as it can be without the database, and renders its envelope. */
export function checkEvent(json: JsonIndex, context: CheckContext): CheckResult {
  if (json.kind(json.root) !== 'object') {
    return refuse('invalid_request', 'an event is a JSON object', [{ path: '', message: `is ${json.kind(json.root)}` }])
  }
  const reader = new EnvelopeReader(json)
  reader.allowOnly(KNOWN_KEYS, REFUSED_KEYS)
  const type = reader.text('type')
  const typeRefusal = checkType(reader, type)
  if (typeRefusal !== null) return { ok: false, refusal: typeRefusal }
  const fields = readFields(reader, context, type ?? '')
  checkScope(reader, fields)
  const dataNode = reader.node('data')
  if (dataNode === -1) reader.fail('/data', 'is required: the payload of the type, an object')
  else if (json.kind(dataNode) !== 'object') reader.fail('/data', `is an object, not ${json.kind(dataNode)}`)
  const idempotencyKey = readIdempotencyKey(reader, context)
  if (reader.errors.length > 0) {
    return refuse('invalid_request', 'the event has fields that are missing or wrong', reader.errors)
  }
  const { tenantId } = fields
  if (context.keyTenantId !== null && tenantId !== context.keyTenantId) {
    const errors = [{ path: '/tenant_id', message: 'is not the tenant this API key is bound to' }]
    return refuse('insufficient_scope', 'this API key is bound to another tenant', errors)
  }
  const start = json.start(json.root)
  const size = json.end(json.root) - start
  if (size > context.warnBytes) {
    const message = `the event has ${size} bytes; above ${context.warnBytes}, point to a resource instead`
    reader.warnings.push({ code: 'large_body', path: '', message })
  }
  const event = {
    ...fields,
    deadline: fields.expiresAt ?? approvalDeadline(reader, fields.type),
    idempotencyKey,
    source: json.bytes.subarray(start, json.end(json.root)),
    dataStart: json.start(dataNode) - start,
    dataEnd: json.end(dataNode) - start,
    envelope: prepareEnvelope(fields),
  }
  return { ok: true, event, warnings: reader.warnings }
}

function readFields(reader: EnvelopeReader, context: CheckContext, type: string): EnvelopeFields {
  const mode = reader.text('mode')
  if (mode !== null && mode !== context.mode) reader.fail('/mode', `is ${context.mode} for this API key`)
  const tenantId = reader.name('tenant_id', 255)
  if (tenantId === '*') reader.fail('/tenant_id', '"*" stands for all tenants and is no tenant')
  return {
    eventId: readEventId(reader, context),
    type,
    schemaVersion: readSchemaVersion(reader, type),
    timestamp: reader.time('timestamp') ?? context.now,
    expiresAt: reader.time('expires_at'),
    mode: context.mode,
    tenantId: tenantId ?? context.keyTenantId ?? DEFAULT_TENANT,
    runId: reader.pattern('run_id', PRODUCER_ID_PATTERN, PRODUCER_ID),
    taskId: reader.pattern('task_id', PRODUCER_ID_PATTERN, PRODUCER_ID),
    conversationId: reader.name('conversation_id', 255),
    agent: reader.agent() ?? { id: '' },
    traceId: reader.pattern('trace_id', TRACE_ID_PATTERN, 'is 32 lower-case hex digits (W3C trace id)'),
    causationId: reader.pattern('causation_id', EVENT_ID_PATTERN, 'is an event id, evt_…'),
    metadata: reader.metadata(),
  }
}

function readEventId(reader: EnvelopeReader, context: CheckContext): string {
  const shape = 'is evt_ and 8 to 64 letters, digits, _ or -'
  const eventId = reader.pattern('event_id', EVENT_ID_PATTERN, shape)
  if (eventId === null) return context.newEventId()
  if (!eventIdFitsMode(eventId, context.mode)) {
    reader.fail(
      '/event_id',
      context.mode === 'test' ? 'starts with evt_test_ in test mode' : 'evt_test_ is for test mode',
    )
  }
  return eventId
}

function readSchemaVersion(reader: EnvelopeReader, type: string): number {
  const version = reader.integer('schema_version', 1, 1_000_000) ?? 1
  if (version !== 1 && BUILT_IN_TYPES.has(type)) reader.fail('/schema_version', `is 1: ${type} has only version 1`)
  return version
}

function readIdempotencyKey(reader: EnvelopeReader, context: CheckContext): string | null {
  const shape = 'is 1 to 255 printable ASCII characters'
  const own = reader.pattern('idempotency_key', IDEMPOTENCY_KEY_PATTERN, shape)
  // The producer's own id says the same, and says it for ever (details 4).
  return reader.node('event_id') === -1 ? (own ?? context.idempotencyKey) : null
}

function checkType(reader: EnvelopeReader, type: string | null): Refusal | null {
  if (type === null) {
    if (reader.node('type') === -1) reader.fail('/type', 'is required, such as agent.run.started')
    return null
  }
  if (BUILT_IN_TYPES.has(type)) return null
  if (type.length > EVENT_TYPE_MAX_LENGTH || !EVENT_TYPE_PATTERN.test(type)) {
    reader.fail(
      '/type',
      'is two to five segments of a-z, 0-9 and _, such as acme.invoice.drafted, 100 characters at most',
    )
    return null
  }
  if (!RESERVED_TYPE_PREFIXES.some((prefix) => type.startsWith(prefix))) return null
  const suggestion = nearest(type, BUILT_IN_TYPES.keys())
  return {
    code: 'unknown_event_type',
    detail: `"${type}" is not in the catalog, and ${type.split('.')[0]}. is reserved for Runbell's own types`,
    errors: [
      { path: '/type', message: suggestion === null ? 'is not in the catalog' : `did you mean "${suggestion}"?` },
    ],
    fix: suggestion === null ? 'Start the names of your own types with a segment of your own.' : `Use "${suggestion}".`,
  }
}

/** Run-scoped types join by `run_id`, task types by `task_id`. */
function checkScope(reader: EnvelopeReader, fields: EnvelopeFields): void {
  const fact = BUILT_IN_TYPES.get(fields.type)
  if (fact === undefined) return
  if (fact.runScoped && reader.node('run_id') === -1) reader.fail('/run_id', `is required for ${fields.type}`)
  if (!fact.runScoped && reader.node('task_id') === -1) reader.fail('/task_id', `is required for ${fields.type}`)
}

/** A request nobody can answer any more is not sent (details 20). */
function approvalDeadline(reader: EnvelopeReader, type: string): number | null {
  return type === 'agent.approval.requested' ? reader.timeInData('expires_at') : null
}

function refuse(code: ProblemCode, detail: string, errors: Refusal['errors']): CheckResult {
  const [first] = errors
  const where = first === undefined || first.path === '' ? 'the body' : first.path
  const fix =
    code === 'insufficient_scope'
      ? 'Leave tenant_id out, or use a key of that tenant or one that is bound to none.'
      : `Correct ${where}${errors.length > 1 ? ` and the other ${errors.length - 1} named in errors` : ''}, then send it again.`
  return { ok: false, refusal: { code, detail, errors, fix } }
}
