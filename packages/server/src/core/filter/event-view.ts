import type { JsonIndex } from '../json-index.ts'
import { formatTime, type EnvelopeFields } from '../render.ts'
import type { DataShape } from '../schema/data-shape.ts'
import type { Scalar } from './filter.ts'

/** `undefined`: not there, or of a class other than public. `container`: a list or an object, which only exists. */
export type Seen = Scalar | undefined | typeof CONTAINER
export const CONTAINER = Symbol('a list or an object')

/** Objects with more members than this are looked up in a map, so that a search is not repeated for every filter. */
const FEW_MEMBERS = 8

/**
 * One event as filters see it: as it was published, before anything is cut or converted, and of its data only what is
 * public in the version it was published in. Each value is looked for once, however many filters ask for it: what an
 * event costs is bounded by its size and the number of conditions, not by their product.
 */
export class EventView {
  readonly #fields: EnvelopeFields
  readonly #json: JsonIndex
  readonly #data: number
  readonly #shape: DataShape
  readonly #seen = new Map<string, Seen>()
  readonly #members = new Map<number, Map<string, number>>()

  /** @param data the node of the data @param shape of the version it was published in */
  constructor(fields: EnvelopeFields, json: JsonIndex, data: number, shape: DataShape) {
    this.#fields = fields
    this.#json = json
    this.#data = data
    this.#shape = shape
  }

  /** @param tokens the names in `pointer` */
  at(pointer: string, tokens: readonly string[]): Seen {
    const known = this.#seen.get(pointer)
    if (known !== undefined || this.#seen.has(pointer)) return known
    const value = tokens[0] === 'data' ? this.#inData(tokens) : envelopeValue(this.#fields, pointer, tokens)
    this.#seen.set(pointer, value)
    return value
  }

  #inData(tokens: readonly string[]): Seen {
    let node = this.#data
    let shape: DataShape | null = this.#shape
    for (let index = 1; index < tokens.length; index++) {
      const token = tokens[index] as string
      if (shape.dataClass === null) {
        const inner: DataShape | null = shape.properties?.get(token) ?? shape.additional
        if (inner === null) return undefined
        shape = inner
      }
      if (shape.dataClass !== null && shape.dataClass !== 'public') return undefined
      node = this.#member(node, token)
      if (node === -1) return undefined
    }
    if (shape.dataClass !== 'public') return undefined
    const kind = this.#json.kind(node)
    return kind === 'object' || kind === 'array' ? CONTAINER : (this.#json.value(node) as Scalar)
  }

  #member(node: number, name: string): number {
    const known = this.#members.get(node)
    if (known !== undefined) return known.get(name) ?? -1
    const json = this.#json
    if (json.kind(node) !== 'object') return -1
    let count = 0
    for (let child = json.firstChild(node); child !== -1; child = json.nextSibling(child)) {
      if (json.keyEquals(child, name)) return child
      count += 1
      if (count > FEW_MEMBERS) return this.#indexed(node).get(name) ?? -1
    }
    return -1
  }

  #indexed(node: number): Map<string, number> {
    const members = new Map<string, number>()
    for (const child of this.#json.children(node)) members.set(this.#json.keyText(child), child)
    this.#members.set(node, members)
    return members
  }
}

function envelopeValue(fields: EnvelopeFields, pointer: string, tokens: readonly string[]): Scalar | undefined {
  if (tokens[0] === 'metadata') {
    const name = tokens[1] as string
    return fields.metadata !== null && Object.hasOwn(fields.metadata, name) ? fields.metadata[name] : undefined
  }
  return READ[pointer]?.(fields) ?? undefined
}

const READ: Readonly<Record<string, (fields: EnvelopeFields) => Scalar>> = {
  '/event_id': ({ eventId }) => eventId,
  '/type': ({ type }) => type,
  '/schema_version': ({ schemaVersion }) => schemaVersion,
  '/mode': ({ mode }) => mode,
  '/tenant_id': ({ tenantId }) => tenantId,
  '/run_id': ({ runId }) => runId,
  '/task_id': ({ taskId }) => taskId,
  '/conversation_id': ({ conversationId }) => conversationId,
  '/agent/id': ({ agent }) => agent.id,
  '/trace_id': ({ traceId }) => traceId,
  '/causation_id': ({ causationId }) => causationId,
  '/timestamp': ({ timestamp }) => formatTime(timestamp),
  '/expires_at': ({ expiresAt }) => (expiresAt === null ? null : formatTime(expiresAt)),
}
