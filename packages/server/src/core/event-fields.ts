import {
  EVENT_ID_PATTERN,
  PRODUCER_ID_PATTERN,
  TRACE_ID_PATTERN,
  eventIdFitsMode,
  type Mode,
} from '@runbell/sdk/contract'
import type { TypeContract, VersionContract } from './catalog/type-contract.ts'
import { maskCredentials } from './credentials/mask-credentials.ts'
import type { EnvelopeReader } from './envelope-reader.ts'
import { formatTime, type EnvelopeFields } from './render.ts'

/** What the fields of an envelope are read with. */
export interface FieldContext {
  /** The API key's mode. */
  mode: Mode
  /** The tenant the key is bound to, or `null`. */
  keyTenantId: string | null
  /** Service time in ms: the timestamp of an event that brings none. */
  now: number
  /** From the `Idempotency-Key` header; an `event_id` in the body goes before it. */
  idempotencyKey: string | null
  newEventId(): string
  /** The event is the service’s own: it may be of all tenants. @default false */
  internal?: boolean
}

const PRODUCER_ID = 'is 1 to 128 letters, digits or _.:/@=+- and starts with a letter or digit'
const IDEMPOTENCY_KEY_PATTERN = /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/
const DEFAULT_TENANT = 'default'

/** The members of the envelope, checked; what is wrong with them is in `reader.errors`. */
export function readFields(reader: EnvelopeReader, context: FieldContext, type: string): EnvelopeFields {
  const mode = reader.text('mode')
  if (mode !== null && mode !== context.mode) reader.fail('/mode', `is ${context.mode} for this API key`)
  const tenantId = reader.name('tenant_id', 255)
  if (tenantId === '*' && context.internal !== true)
    reader.fail('/tenant_id', '"*" stands for all tenants and is no tenant')
  return {
    eventId: readEventId(reader, context),
    type,
    schemaVersion: reader.integer('schema_version', 1, 1_000_000) ?? 1,
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

function readEventId(reader: EnvelopeReader, context: FieldContext): string {
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

/** The version the data is in, or `null` with the error said. */
export function readVersion(
  reader: EnvelopeReader,
  contract: TypeContract,
  { schemaVersion }: EnvelopeFields,
  now: number,
): VersionContract | null {
  const { type, current } = contract
  const version = contract.version(schemaVersion)
  if (version === null) {
    const known = current === 1 ? 'has only version 1' : `has the versions 1 to ${current}`
    return reader.fail('/schema_version', `there is no version ${schemaVersion}: ${type} ${known}`)
  }
  if (version.retiredAt === null) return version
  if (version.retiredAt <= now) {
    return reader.fail('/schema_version', `version ${schemaVersion} of ${type} is retired: publish version ${current}`)
  }
  const message = `version ${schemaVersion} of ${type} is deprecated and will be refused from ${formatTime(version.retiredAt)} on`
  reader.warnings.push({ code: 'version_deprecated', path: '/schema_version', message })
  return version
}

export function readIdempotencyKey(reader: EnvelopeReader, context: FieldContext): string | null {
  const shape = 'is 1 to 255 printable ASCII characters'
  const own = reader.pattern('idempotency_key', IDEMPOTENCY_KEY_PATTERN, shape)
  // The producer's own id says the same, and says it for ever (details 4).
  if (reader.node('event_id') !== -1) return null
  const key = own ?? context.idempotencyKey
  if (key === null || maskCredentials(key) === null) return key
  return reader.fail('/idempotency_key', 'looks like a credential, which may not be an identifier')
}

/** Run-scoped types join by `run_id`, task types by `task_id`. */
export function checkScope(reader: EnvelopeReader, { type, origin, runScoped }: TypeContract, internal: boolean): void {
  if (runScoped && reader.node('run_id') === -1) reader.fail('/run_id', `is required for ${type}`)
  const isTask = origin === 'agent' && !runScoped
  if (isTask && !internal && reader.node('task_id') === -1) reader.fail('/task_id', `is required for ${type}`)
}
