import type { TypeContract } from './catalog/type-contract.ts'
import { planCuts } from './cut-plan.ts'
import type { ClassMask } from './data-classes.ts'
import { EnvelopeReader } from './envelope-reader.ts'
import type { EventView } from './filter/event-view.ts'
import { EventBodies, type BodyWant } from './event-bodies.ts'
import { scanJson } from './json-scan.ts'
import { completePrefix, prepareEnvelope, type EnvelopeFields } from './render.ts'

/** An event as the store keeps it. */
export interface StoredEvent {
  /** The uncut body. */
  body: Uint8Array
  classes: ClassMask
  schemaVersion: number
  recordedAt: number
  sequence: number | null
}

/** A body of a stored event, rendered now. */
export interface BodyNow {
  /** The text before `rest`. */
  prefix: string
  rest: Uint8Array
  classes: ClassMask
}

/**
 * Renders a stored event again: for an endpoint that gets it later, or for a key that may not see all of it.
 * @returns `null`: the uncut body is what is wanted
 */
export function renderStored(
  stored: StoredEvent,
  want: BodyWant,
  contract: TypeContract,
  publicUrl: string,
): BodyNow | null {
  const body = readStored(stored, contract, publicUrl).bodyFor(want)
  if (body === null) return null
  const prefix = completePrefix(body.envelope, stored.recordedAt, stored.sequence)
  return { prefix, rest: body.rest, classes: body.classes }
}

/** A stored event as filters see it, the same as when it was accepted. */
export function viewStored(stored: StoredEvent, contract: TypeContract): EventView {
  return readStored(stored, contract, '').view()
}

function readStored(stored: StoredEvent, contract: TypeContract, publicUrl: string): EventBodies {
  const scan = scanJson(stored.body, LIMITS)
  if (!scan.ok) throw new Error(`a stored body cannot be read again: ${scan.error.message}`)
  const { json } = scan
  const reader = new EnvelopeReader(json)
  const data = reader.node('data')
  const fields = fieldsOf(reader, stored)
  const event = {
    source: stored.body,
    dataStart: json.start(data),
    dataEnd: json.end(data),
    classes: stored.classes,
    envelope: prepareEnvelope(fields),
  }
  const shape = contract.version(stored.schemaVersion)?.shape
  const plan = shape === undefined ? null : planCuts(json, data, shape)
  return new EventBodies(event, fields, contract, publicUrl, plan)
}

/** The envelope adds members and one level to what was accepted. */
const LIMITS = { maxDepth: 64, maxMembers: 20_000 }

function fieldsOf(reader: EnvelopeReader, { schemaVersion }: StoredEvent): EnvelopeFields {
  return {
    eventId: reader.text('event_id') ?? '',
    type: reader.text('type') ?? '',
    schemaVersion,
    timestamp: reader.time('timestamp') ?? 0,
    expiresAt: reader.time('expires_at'),
    mode: reader.text('mode') === 'test' ? 'test' : 'live',
    tenantId: reader.text('tenant_id') ?? '',
    runId: reader.text('run_id'),
    taskId: reader.text('task_id'),
    conversationId: reader.text('conversation_id'),
    agent: reader.agent() ?? { id: '' },
    traceId: reader.text('trace_id'),
    causationId: reader.text('causation_id'),
    metadata: reader.metadata(),
  }
}
