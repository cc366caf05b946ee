import { createHash } from 'node:crypto'
import { idPrefix, type IdKind, type Mode } from '@runbell/sdk/contract'
import { prepareEnvelope, type PreparedEnvelope } from '../../core/render.ts'
import type { LifecycleFact } from '../../core/catalog/lifecycle-fact.ts'
import type { AcceptItem, AcceptTarget, PreparedBody } from '../accept.ts'
import type {
  ApiKeyRow,
  AttemptRecord,
  Claim,
  DeliveryFilter,
  EndpointRow,
  EventFilter,
  PageRequest,
  ReadScope,
  SecretRow,
} from '../rows.ts'

/** Service time at which every test starts. */
export const T0 = Date.UTC(2026, 0, 5, 12)
export const MINUTE = 60_000
/** Long enough that no lease runs out by itself during a test. */
export const LEASE_MS = 60_000

export const LIVE: ReadScope = { mode: 'live', tenantId: null }

export const ANY_EVENT: EventFilter = { types: [], runId: null, since: null, until: null }
export const ANY_DELIVERY: DeliveryFilter = {
  eventPosition: null,
  statuses: [],
  endpointId: null,
  runId: null,
  types: [],
  errorCode: null,
  since: null,
  until: null,
  deadLetters: false,
}
export const ONE_PAGE: PageRequest = { limit: 1000, after: null }
export const ALL_EVENTS = { scope: LIVE, filter: ANY_EVENT, page: ONE_PAGE }
export const ALL_DELIVERIES = { scope: LIVE, filter: ANY_DELIVERY, page: ONE_PAGE }

let made = 0

/** A new id that sorts after those made before; the same shape as the real ones. */
export function newId(kind: IdKind, mode: Mode = 'live'): string {
  made += 1
  return idPrefix(kind, mode) + String(made).padStart(26, '0')
}

export function bytes(characters: string): Uint8Array {
  return new TextEncoder().encode(characters)
}

export function text(value: Uint8Array | null): string | null {
  return value === null ? null : new TextDecoder('utf-8', { fatal: true }).decode(value)
}

/** Lower-case hex, so that a failing comparison can be read. */
export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

export function sha256Hex(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex')
}

export type ItemInput = Partial<Omit<AcceptItem, 'source' | 'dataStart' | 'dataEnd' | 'envelope'>> & {
  /** The JSON text of `data`. */
  data?: string
}

/** An item ready for `acceptEvents`: what the producer sent has white space around `data`, which must not survive. */
export function acceptItem(input: ItemInput = {}): AcceptItem {
  const { data = '{"status":"completed"}', ...fields } = input
  const mode = fields.mode ?? 'live'
  const base = {
    tenantId: 'default',
    mode,
    eventId: newId('event', mode),
    type: 'agent.run.completed',
    schemaVersion: 1,
    timestamp: T0 - 1000,
    runId: 'run-1',
    taskId: null,
    agent: { id: 'support-agent', name: 'Zoë' },
    expiresAt: null,
    deadline: null,
    idempotencyKey: null,
    targets: [],
    configVersion: 0,
    bodies: [],
    announces: null,
    classes: 0,
    lifecycle: null,
    ...fields,
  }
  const before = `{"type":${JSON.stringify(base.type)}, "data": `
  const source = Buffer.concat([bytes(before), bytes(data), bytes(' }')])
  const dataStart = bytes(before).length
  const dataEnd = dataStart + bytes(data).length
  const fingerprint = fields.fingerprint ?? createHash('sha256').update(source).digest()
  return { ...base, fingerprint, source, dataStart, dataEnd, envelope: envelopeOf(base) }
}

type EnvelopeInput = Omit<AcceptItem, 'fingerprint' | 'source' | 'dataStart' | 'dataEnd' | 'envelope'>

function envelopeOf(base: EnvelopeInput): PreparedEnvelope {
  return prepareEnvelope({
    ...base,
    conversationId: null,
    traceId: null,
    causationId: null,
    metadata: { region: 'eu' },
  })
}

/** The body that the contract asks for, put together without the store and without `completePrefix`. */
export function expectedBody(item: AcceptItem, recordedAt: number, sequence: number | null): Uint8Array {
  const { head, middle, tail } = item.envelope
  const time = new Date(recordedAt).toISOString()
  const prefix = head + time + middle + (sequence === null ? '' : String(sequence)) + tail
  return Buffer.concat([bytes(prefix), item.source.subarray(item.dataStart, item.dataEnd), bytes('}')])
}

export function target(endpointId: string, grant = false, body = -1): AcceptTarget {
  return { endpointId, deliveryId: newId('delivery'), grant, body }
}

/** A body of an item with another `withheld` and these bytes after the envelope. */
export function preparedBody(item: AcceptItem, rest: string | Uint8Array, classes = 0): PreparedBody {
  const tail = ',"agent":{"id":"support-agent"},"withheld":["personal"],"data":'
  return { envelope: { ...item.envelope, tail }, rest: typeof rest === 'string' ? bytes(rest) : rest, classes }
}

/** What such a body becomes, put together without the store. */
export function expectedPrepared(
  { envelope: { head, middle, tail }, rest }: PreparedBody,
  recordedAt: number,
  sequence: number | null,
): Uint8Array {
  const time = new Date(recordedAt).toISOString()
  return Buffer.concat([bytes(head + time + middle + (sequence === null ? '' : String(sequence)) + tail), rest])
}

/** An item that lifecycle rules are about. */
export function factItem(
  type: string,
  {
    child = null,
    strict = false,
    status = null,
    parentRunId = null,
    decideBy = null,
    byService = false,
    ...input
  }: ItemInput & Partial<LifecycleFact> = {},
): AcceptItem {
  return acceptItem({ type, lifecycle: { type, status, child, parentRunId, decideBy, strict, byService }, ...input })
}

export function secretRow(input: Partial<SecretRow> = {}): SecretRow {
  const id = input.id ?? newId('secret')
  return { id, kind: 'hmac', value: `whsec_${id}`, publicKey: null, createdAt: T0, expiresAt: null, ...input }
}

export function endpointRow(input: Partial<EndpointRow> = {}): EndpointRow {
  const mode = input.mode ?? 'live'
  return {
    position: 0,
    id: newId('endpoint', mode),
    tenantId: 'default',
    mode,
    kind: 'http',
    url: 'https://example.com/hook',
    description: 'orders',
    eventTypes: ['agent.*'],
    filter: { all: [{ path: '/type', equals: 'agent.run.completed' }] },
    dataClasses: ['public', 'summary'],
    schemaVersions: { 'agent.run.completed': 1 },
    format: 'runbell',
    headers: { 'x-team': 'support' },
    headerPrefix: null,
    timeoutMs: 15_000,
    maxInFlight: 10,
    rateLimit: null,
    ordering: 'none',
    orderingOnDeadLetter: 'skip',
    retrySchedule: [5_000, MINUTE],
    signing: 'hmac',
    status: 'enabled',
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    createdAt: T0,
    updatedAt: T0,
    secrets: [secretRow()],
    ...input,
  }
}

export function apiKeyRow(input: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    position: 0,
    id: newId('apiKey', input.mode),
    mode: 'live',
    scopes: ['publish', 'read'],
    dataClasses: ['public', 'summary'],
    tenantId: null,
    hash: createHash('sha256').update(String(made)).digest(),
    createdAt: T0,
    expiresAt: null,
    lastUsedAt: null,
    ...input,
  }
}

/** A record of a claim: a success, unless told otherwise. */
export function attemptRecord(claim: Claim, input: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    position: claim.position,
    number: claim.number,
    startedAt: T0 + 5,
    durationMs: 42,
    trigger: claim.trigger,
    outcome: 'delivered',
    statusCode: 200,
    requestHeaders: [
      ['webhook-id', claim.eventId],
      ['x-team', '•••'],
    ],
    responseHeaders: { 'content-type': 'text/plain' },
    excerpt: bytes('ok'),
    truncated: false,
    phases: { dns: 1, connect: 2, tls: null, wait: 3 },
    verdict: { kind: 'delivered' },
    endpointEffect: null,
    ...input,
  }
}

/** A failed attempt that is tried again at `at`. */
export function failedRecord(claim: Claim, at: number, input: Partial<AttemptRecord> = {}): AttemptRecord {
  return attemptRecord(claim, { outcome: 'http_error', statusCode: 500, verdict: { kind: 'retry', at }, ...input })
}
