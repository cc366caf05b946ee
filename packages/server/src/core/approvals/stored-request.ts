import { PRODUCER_ID_PATTERN } from '@runbell/sdk/contract'
import type { JsonIndex } from '../json-index.ts'
import { scanJson } from '../json-scan.ts'

/** What is needed of the uncut body of `agent.approval.requested` to say what became of it. */
export interface StoredRequest {
  eventId: string
  /** Members of the envelope that what becomes of it has as well, as they stand there: `"agent":{…}`. */
  joins: string[]
  toolCallId: string | null
  inputBinding: string | null
  /** Empty: it says none. */
  options: string[]
  onExpiry: string | null
}

/** Bodies have members of their own beside what was accepted, and one level more. */
const LIMITS = { maxDepth: 64, maxMembers: 20_000 }
/** As the catalog has it. */
const INPUT_BINDING = /^hmac-sha256:[A-Za-z0-9_-]{43}$/
const JOINS = ['agent', 'task_id', 'conversation_id', 'trace_id']

/** @param body `null` or empty: its payload is gone */
export function readStoredRequest(body: Uint8Array | null): StoredRequest | null {
  if (body === null || body.length === 0) return null
  const json = scanBody(body)
  const data = json.member(json.root, 'data')
  return {
    eventId: textIn(json, json.root, 'event_id') ?? '',
    joins: JOINS.flatMap((name) => {
      const node = json.member(json.root, name)
      return node === -1 ? [] : [`"${name}":${json.source(node)}`]
    }),
    // Where a mismatch is only warned of, a request may have come with anything.
    toolCallId: textLike(textIn(json, data, 'tool_call_id'), PRODUCER_ID_PATTERN),
    inputBinding: textLike(textIn(json, data, 'input_binding'), INPUT_BINDING),
    options: optionsIn(json, data),
    onExpiry: textIn(json, data, 'on_expiry'),
  }
}

/** The payload in a body: as it stands there, and its members as values. */
export function readPayload(body: Uint8Array): { text: string; member(name: string): unknown } {
  const json = scanBody(body)
  const data = json.member(json.root, 'data')
  return {
    text: json.source(data),
    member(name) {
      const node = json.member(data, name)
      return node === -1 ? null : json.value(node)
    },
  }
}

function scanBody(body: Uint8Array): JsonIndex {
  const scan = scanJson(body, LIMITS)
  if (!scan.ok) throw new Error(`a stored body cannot be read again: ${scan.error.message}`)
  return scan.json
}

function optionsIn(json: JsonIndex, data: number): string[] {
  const node = json.member(data, 'options')
  if (node === -1 || json.kind(node) !== 'array') return []
  return [...json.children(node)].flatMap((child) => (json.kind(child) === 'string' ? json.text(child) : []))
}

function textLike(text: string | null, pattern: RegExp): string | null {
  return text !== null && pattern.test(text) ? text : null
}

function textIn(json: JsonIndex, object: number, name: string): string | null {
  const node = json.member(object, name)
  return node !== -1 && json.kind(node) === 'string' ? json.text(node) : null
}
