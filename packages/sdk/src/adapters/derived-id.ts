import { PRODUCER_ID_PATTERN, type Agent } from '../contract/index.ts'
import { base64url } from '../emit/base64url.ts'
import { sha256 } from '../emit/sha-256.ts'

/** `name` and `id` of agents and tools hold at most this many characters. */
const MAX_NAME = 255

/** An id that follows from these texts, in every process. A JSON array, since joined texts could be those of another list. */
export function derivedId(prefix: string, ...parts: readonly string[]): string {
  return `${prefix}_${base64url(sha256(new TextEncoder().encode(JSON.stringify(parts))))}`
}

/** A framework's id as it is, or one that follows from it where it has signs that ids may not have. */
export function producerId(prefix: string, id: string): string {
  return PRODUCER_ID_PATTERN.test(id) ? id : derivedId(prefix, id)
}

/** The approval of a tool call. Models count their calls anew in each run (`call_1`), and approvals are the tenant's. */
export function approvalIdOf(runId: string, toolCallId: string): string {
  return derivedId('apr', runId, toolCallId)
}

/** A name as it may stand in events. */
export function plainName(name: string | undefined, otherwise: string): string {
  const plain = [...(name ?? '').replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ').trim()].slice(0, MAX_NAME)
  return plain.length === 0 ? otherwise : plain.join('')
}

/** Frameworks know agents by names for people; one that could not be an id is made into one: `Refund agent` is `Refund-agent`. */
export function agentOf(name: string | undefined): Agent {
  const plain = plainName(name, 'agent')
  const id = plain
    .replace(/[^A-Za-z0-9_.:/@=+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 128)
  return plain === id ? { id } : { id: id === '' ? derivedId('agent', plain) : id, name: plain }
}
