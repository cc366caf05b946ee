import { maskCredentials } from '../credentials/mask-credentials.ts'
import type { JsonValue } from './diagnostic.ts'

/** No credential is shorter. */
const SHORTEST = 8
/** What a text in a diagnostic may have, in characters; the rest is cut off, after masking. */
const MAX_TEXT = 4096

/** Names whose value is a credential, whatever it looks like. */
const SECRET_NAME =
  /(?:^|[._-])(?:pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret|(?:auth|access|refresh|id|session)?[_-]?token|authorization|cookie|set-cookie|credentials?)$/i

export interface Bounded<Value> {
  value: Value
  masked: boolean
  cut: boolean
}

/** A text with credentials masked, and no longer than it may be. */
export function boundText(text: string): Bounded<string> {
  const found = text.length < SHORTEST ? null : maskCredentials(text)
  const clear = found?.text ?? text
  const cut = clear.length > MAX_TEXT
  return { value: cut ? `${whole(clear.slice(0, MAX_TEXT))}…` : clear, masked: found !== null, cut }
}

/** A character of two units is not cut in two. */
function whole(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last < 0xdc00 ? text.slice(0, -1) : text
}

/** The same for everything inside a value; where the name says that it is a credential, no text of it stays. */
export function boundValue(name: string, value: JsonValue): Bounded<JsonValue> {
  if (typeof value === 'string') {
    return SECRET_NAME.test(name) && value !== '' ? { value: '***', masked: true, cut: false } : boundText(value)
  }
  // JSON has no other way to say it, and a reader would take null for it.
  if (typeof value === 'number')
    return { value: Number.isFinite(value) ? value : String(value), masked: false, cut: false }
  if (typeof value !== 'object' || value === null) return { value, masked: false, cut: false }
  if (Array.isArray(value)) {
    const items = value.map((item: JsonValue) => boundValue(name, item))
    return { value: items.map((item) => item.value), ...sumOf(items) }
  }
  const members = Object.entries(value).map(([key, inner]) => [key, boundValue(key, inner)] as const)
  const inner = Object.fromEntries(members.map(([key, bounded]) => [key, bounded.value]))
  return { value: inner, ...sumOf(members.map(([, bounded]) => bounded)) }
}

function sumOf(parts: readonly Bounded<unknown>[]): { masked: boolean; cut: boolean } {
  return { masked: parts.some(({ masked }) => masked), cut: parts.some(({ cut }) => cut) }
}
