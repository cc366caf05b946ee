/** Why bytes were refused. The limits' names are those of the options of `scanJson` and `splitJsonArray`. */
export type JsonErrorCode = 'malformed_json' | 'duplicate_key' | 'too_deep' | 'too_many_members' | 'too_many_items'

/** Where and why a scan stopped. */
export interface JsonError<Code extends JsonErrorCode = JsonErrorCode> {
  code: Code
  /** Byte offset in the bytes that were handed in (not from `start`); equals `end` where the input stops too early. */
  offset: number
  /**
   * JSON Pointer (RFC 6901) to the place as far as it was known; `''` is the whole value. Stops at an ancestor where it
   * would pass {@link MAX_ERROR_PATH} characters.
   */
  path: string
  /** One sentence for the sender: what was expected and what was found. Shows one character of the input at most. */
  message: string
}

/** Characters of a path in an error: names can be as long as the body, and an error must not echo it back. */
export const MAX_ERROR_PATH = 512

/** What each failure of the grammar asked for; the sentence goes on with what was found. */
const EXPECTED = [
  'a JSON value',
  'a member name in double quotes',
  "':' after the member name",
  "',' or '}' after the member's value",
  "',' or ']' after the array's element",
  'nothing but white space after the JSON value',
  'a digit',
  'a digit that is not preceded by a leading zero',
  'the word true, false or null',
  'the closing quote of a string',
  'control characters inside a string to be escaped',
  'one of " \\ / b f n r t u after a backslash',
  'four hexadecimal digits after \\u',
  'well-formed UTF-8',
  'both halves of a surrogate pair, high before low,',
  'a JSON value without a byte order mark',
  'an array',
] as const

export const EXPECTED_VALUE = 0
export const EXPECTED_NAME = 1
export const EXPECTED_COLON = 2
export const EXPECTED_COMMA_OR_BRACE = 3
export const EXPECTED_COMMA_OR_BRACKET = 4
export const EXPECTED_END = 5
export const EXPECTED_DIGIT = 6
export const EXPECTED_NO_LEADING_ZERO = 7
export const EXPECTED_WORD = 8
export const EXPECTED_CLOSING_QUOTE = 9
export const EXPECTED_NO_CONTROL = 10
export const EXPECTED_ESCAPE = 11
export const EXPECTED_HEX = 12
export const EXPECTED_UTF8 = 13
export const EXPECTED_SURROGATE_PAIR = 14
export const EXPECTED_NO_BOM = 15
export const EXPECTED_ARRAY = 16
/** Not of the grammar: a limit was passed. */
export const LIMIT_DEPTH = 30
export const LIMIT_MEMBERS = 31

/** More than there are reasons. */
const REASONS = 32

/**
 * A failure as one negative number, so that the token functions return "offset after the token" or "why not" without an
 * object. Exact for offsets up to 2^48.
 */
export function failure(offset: number, reason: number): number {
  return -(offset * REASONS + reason) - 1
}

export function failureOffset(encoded: number): number {
  return Math.floor((-encoded - 1) / REASONS)
}

export function failureReason(encoded: number): number {
  return (-encoded - 1) % REASONS
}

/** What is at `offset`, in words. */
function found(bytes: Uint8Array, offset: number, end: number): string {
  if (offset >= end) return 'the end of the input'
  const byte = bytes[offset] as number
  if (byte > 0x20 && byte < 0x7f) return `'${String.fromCharCode(byte)}'`
  return `the byte 0x${byte.toString(16).padStart(2, '0').toUpperCase()}`
}

/** The sentence of a failure of the grammar. */
export function grammarMessage(bytes: Uint8Array, offset: number, end: number, reason: number): string {
  return `expected ${EXPECTED[reason] ?? 'something else'} but found ${found(bytes, offset, end)} at byte ${offset}`
}
