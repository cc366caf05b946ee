import { base64url } from './base64url.ts'
import { canonicalJson } from './canonical-json.ts'
import { hmacSha256 } from './sha-256.ts'

/** What an approval is given for. */
export interface BoundInput {
  approval_id: string
  tool_call_id?: string | undefined
  /** The tool's name. */
  tool?: string | undefined
  /** What the tool would be called with: any JSON value. */
  input?: unknown
}

/** Half of what an HMAC-SHA256 key may usefully have, and as long as a signing secret at least. */
const MIN_KEY_BYTES = 24

/** @throws TypeError for a key that is too short to be a secret */
export function readBindingKeys(given: string | Uint8Array | readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const keys = typeof given === 'string' || given instanceof Uint8Array ? [given] : given
  return keys.map((key) => {
    const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : Uint8Array.from(key)
    if (bytes.length < MIN_KEY_BYTES) throw new TypeError('bindingKeys are secrets of 24 bytes or more')
    return bytes
  })
}

/**
 * An HMAC over approval, tool call, tool and input. Never a bare hash: the inputs of a refund are so few that a hash of them
 * is found in milliseconds. The input is written in one way only (RFC 8785), so that a store that orders keys anew does no harm.
 * @throws TypeError for an input that is not JSON
 */
export function inputBinding(key: Uint8Array, bound: BoundInput): string {
  const text = canonicalJson([
    'runbell.input_binding.1',
    bound.approval_id,
    bound.tool_call_id ?? null,
    bound.tool ?? null,
    bound.input ?? null,
  ])
  return `hmac-sha256:${base64url(hmacSha256(key, new TextEncoder().encode(text)))}`
}

/** Whether a binding is for this input, made with one of the keys. Takes the same time wherever it differs. */
export function isBoundTo(keys: readonly Uint8Array[], bound: BoundInput, binding: unknown): boolean {
  if (typeof binding !== 'string') return false
  return keys.map((key) => equalTexts(inputBinding(key, bound), binding)).includes(true)
}

function equalTexts(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return difference === 0
}
