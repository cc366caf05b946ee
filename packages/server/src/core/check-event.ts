import type { ProblemCode } from '@runbell/sdk/contract'
import type { LifecycleFact } from './catalog/lifecycle-fact.ts'
import type { Catalog, DataProblem, TypeContract, VersionContract } from './catalog/type-contract.ts'
import { checkData, droppedFields, toDetails, type CheckedData } from './check-data.ts'
import { findType } from './check-type.ts'
import type { CheckResult, Refusal } from './checked-event.ts'
import { classBit } from './data-classes.ts'
import { EnvelopeReader } from './envelope-reader.ts'
import { EventBodies, agentClasses } from './event-bodies.ts'
import type { JsonIndex } from './json-index.ts'
import { scanJson } from './json-scan.ts'
import type { DecodeText } from './json-string.ts'
import { maskEvent } from './mask-event.ts'
import { checkScope, readFields, readIdempotencyKey, readVersion, type FieldContext } from './event-fields.ts'
import { parseTime } from './rfc3339.ts'
import { prepareEnvelope, type EnvelopeFields } from './render.ts'

export interface CheckContext extends FieldContext {
  /** Above this many bytes there is a warning. */
  warnBytes: number
  /** The types of the mode. */
  catalog: Catalog
  /** The server's public URL, without a slash at its end. */
  publicUrl: string
  /** A faster decoder. */
  decode?: DecodeText
}

/** Wrong places an answer names. */
const MAX_REPORTED = 20

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

/** Checks one published event as far as it can be without the database, and gets its bodies ready to be rendered. */
export function checkEvent(received: JsonIndex, context: CheckContext): CheckResult {
  if (received.kind(received.root) !== 'object') {
    const kind = received.kind(received.root)
    return refuse('invalid_request', 'an event is a JSON object', [{ path: '', message: `is ${kind}` }])
  }
  const first = new EnvelopeReader(received)
  const { contract, refusal } = findType(first, context.catalog, context.internal === true)
  if (refusal !== null) return { ok: false, refusal }
  const masked = mask(received, first, contract, context)
  if (!masked.ok) return masked
  const { json, reader } = masked
  reader.allowOnly(KNOWN_KEYS, REFUSED_KEYS)
  const fields = readFields(reader, context, contract?.type ?? '')
  const version = contract === null ? null : readVersion(reader, contract, fields, context.now)
  if (contract !== null) checkScope(reader, contract, context.internal === true)
  const dataNode = reader.node('data')
  if (dataNode === -1) reader.fail('/data', 'is required: the payload of the type, an object')
  else if (json.kind(dataNode) !== 'object') reader.fail('/data', `is an object, not ${json.kind(dataNode)}`)
  const idempotencyKey = readIdempotencyKey(reader, context)
  if (reader.errors.length > 0 || contract === null || version === null) {
    return refuse('invalid_request', 'the event has fields that are missing or wrong', reader.errors)
  }
  if (context.keyTenantId !== null && fields.tenantId !== context.keyTenantId) {
    const errors = [{ path: '/tenant_id', message: 'is not the tenant this API key is bound to' }]
    return refuse('insufficient_scope', 'this API key is bound to another tenant', errors)
  }
  const checked = checkData(json, dataNode, version)
  const wrong = contract.enforcement === 'enforce' ? [...checked.problems, ...checked.unsafe] : checked.unsafe
  if (wrong.length > 0) return mismatch(contract, version, wrong)
  warnOf(reader, checked, json, context.warnBytes)
  const internal = context.internal === true
  return accept({ json, reader, fields, contract, checked, idempotencyKey, publicUrl: context.publicUrl, internal })
}

type Masked = { ok: true; json: JsonIndex; reader: EnvelopeReader } | Extract<CheckResult, { ok: false }>

/** Masks credentials before anything else is read, by the version the event says it has. */
function mask(json: JsonIndex, first: EnvelopeReader, contract: TypeContract | null, { decode }: CheckContext): Masked {
  const node = json.member(json.root, 'schema_version')
  const stated = node === -1 ? 1 : json.value(node)
  const version = contract?.version(typeof stated === 'number' ? stated : 1) ?? null
  const masking = maskEvent(json, version?.shape ?? null)
  if (masking.kind === 'clean') return { ok: true, json, reader: first }
  if (masking.kind === 'refused') {
    return refuse('invalid_request', 'an identifier of the event looks like a credential', masking.errors)
  }
  const scan = scanJson(masking.bytes, decode === undefined ? {} : { decode })
  if (!scan.ok) throw new Error(`masking broke the event: ${scan.error.message}`)
  const reader = new EnvelopeReader(scan.json)
  reader.errors.push(...first.errors)
  reader.warnings.push(...masking.warnings)
  return { ok: true, json: scan.json, reader }
}

interface Accepting {
  json: JsonIndex
  reader: EnvelopeReader
  fields: EnvelopeFields
  contract: TypeContract
  checked: CheckedData
  idempotencyKey: string | null
  publicUrl: string
  internal: boolean
}

function accept({ json, reader, fields, contract, checked, ...rest }: Accepting): CheckResult {
  const start = json.start(json.root)
  const dataNode = reader.node('data')
  const { plan } = checked
  const event = {
    ...fields,
    deadline: fields.expiresAt ?? approvalDeadline(reader, fields.type),
    idempotencyKey: rest.idempotencyKey,
    source: json.bytes.subarray(start, json.end(json.root)),
    dataStart: json.start(dataNode) - start,
    dataEnd: json.end(dataNode) - start,
    envelope: prepareEnvelope(fields),
    classes: plan.classes | classBit('public') | agentClasses(fields),
    lifecycle: fields.runId === null ? null : lifecycleOf(json, dataNode, contract, rest.internal),
  }
  const bodies = new EventBodies(event, fields, contract, rest.publicUrl, plan)
  return { ok: true, event, warnings: reader.warnings, bodies }
}

function lifecycleOf(
  json: JsonIndex,
  data: number,
  { type, lifecycle }: TypeContract,
  byService: boolean,
): LifecycleFact {
  const text = (name: string): string | null => {
    const node = json.member(data, name)
    return node !== -1 && json.kind(node) === 'string' ? json.text(node) : null
  }
  const kind = CHILD_KINDS.find(({ prefix }) => type.startsWith(prefix))
  const id = kind === undefined ? null : text(kind.id)
  const child = kind === undefined || id === null ? null : { kind: kind.kind, id }
  const parentRunId = type === 'agent.run.started' ? text('parent_run_id') : null
  const deadline = type === 'agent.approval.requested' ? text('expires_at') : null
  const decideBy = deadline === null ? null : parseTime(deadline)
  return { type, status: text('status'), child, parentRunId, decideBy, strict: lifecycle === 'reject', byService }
}

const CHILD_KINDS = [
  { prefix: 'agent.tool_call.', kind: 'tool_call', id: 'tool_call_id' },
  { prefix: 'agent.approval.', kind: 'approval', id: 'approval_id' },
] as const

function mismatch(contract: TypeContract, version: VersionContract, wrong: DataProblem[]): CheckResult {
  const name = `version ${version.version} of ${contract.type}`
  const errors = toDetails(wrong.slice(0, MAX_REPORTED))
  return refuse('schema_mismatch', `the data does not match ${name}`, errors)
}

function warnOf(reader: EnvelopeReader, { plan, problems }: CheckedData, json: JsonIndex, warnBytes: number): void {
  for (const { path, message } of problems.slice(0, MAX_REPORTED))
    reader.warnings.push({ code: 'schema_mismatch', path, message })
  reader.warnings.push(...droppedFields(plan))
  const size = json.end(json.root) - json.start(json.root)
  if (size <= warnBytes) return
  const message = `the event has ${size} bytes; above ${warnBytes}, point to a resource instead`
  reader.warnings.push({ code: 'large_body', path: '', message })
}

/** A request nobody can answer any more is not sent (details 20). */
function approvalDeadline(reader: EnvelopeReader, type: string): number | null {
  return type === 'agent.approval.requested' ? reader.timeInData('expires_at') : null
}

function refuse(code: ProblemCode, detail: string, errors: Refusal['errors']): Extract<CheckResult, { ok: false }> {
  const [first] = errors
  const where = first === undefined || first.path === '' ? 'the body' : first.path
  const fix =
    code === 'insufficient_scope'
      ? 'Leave tenant_id out, or use a key of that tenant or one that is bound to none.'
      : `Correct ${where}${errors.length > 1 ? ` and the other ${errors.length - 1} named in errors` : ''}, then send it again.`
  return { ok: false, refusal: { code, detail, errors, fix } }
}
