import {
  EXPECTED_ARRAY,
  EXPECTED_COLON,
  EXPECTED_COMMA_OR_BRACE,
  EXPECTED_COMMA_OR_BRACKET,
  EXPECTED_END,
  EXPECTED_NAME,
  EXPECTED_NO_BOM,
  EXPECTED_VALUE,
  failure,
  failureOffset,
  failureReason,
  grammarMessage,
  type JsonError,
} from './json-error.ts'
import { skipNumber, skipSpace, skipStringRest, skipWord } from './json-tokens.ts'

/** Where one element of the array is, without the white space around it. */
export interface JsonSpan {
  start: number
  end: number
}

/** What `splitJsonArray` may be told. */
export interface SplitOptions {
  /** Elements of the outermost array. 0 allows only the empty array. */
  maxItems: number
}

/** The elements in order, or why the array as a whole cannot be used. */
export type SplitResult =
  | { ok: true; items: JsonSpan[] }
  | { ok: false; error: JsonError<'malformed_json' | 'too_many_items'> }

/** Whether each open container is an object, one bit a level: 10 MB of `[` need 1.25 MB. */
class Nesting {
  private bits = new Uint8Array(16)
  depth = 0

  open(isObject: boolean): void {
    const byte = this.depth >> 3
    if (byte === this.bits.length) {
      const larger = new Uint8Array(byte * 2)
      larger.set(this.bits)
      this.bits = larger
    }
    const mask = 1 << (this.depth & 7)
    this.bits[byte] = isObject ? (this.bits[byte] as number) | mask : (this.bits[byte] as number) & ~mask
    this.depth += 1
  }

  get inObject(): boolean {
    const top = this.depth - 1
    return (((this.bits[top >> 3] as number) >> (top & 7)) & 1) === 1
  }
}

/** A scalar whole, or an opening bracket. */
function skipValueStart(bytes: Uint8Array, at: number, end: number, nesting: Nesting): number {
  const first = at < end ? (bytes[at] as number) : 0
  if (first === 0x22) return skipStringRest(bytes, at + 1, end, false)
  if (first === 0x7b || first === 0x5b) {
    nesting.open(first === 0x7b)
    return at + 1
  }
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return skipNumber(bytes, at, end)
  if (first === 0x74 || first === 0x66 || first === 0x6e) return skipWord(bytes, at, end, first)
  return failure(at, EXPECTED_VALUE)
}

function skipName(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== 0x22) return failure(at, EXPECTED_NAME)
  const after = skipStringRest(bytes, at + 1, end, false)
  if (after < 0) return after
  const colon = skipSpace(bytes, after, end)
  return colon < end && bytes[colon] === 0x3a ? skipSpace(bytes, colon + 1, end) : failure(colon, EXPECTED_COLON)
}

/** Any value, at any depth, by its grammar alone: no UTF-8, no surrogates, no limits, no duplicates. */
function skipValue(bytes: Uint8Array, from: number, end: number, nesting: Nesting): number {
  let at = from
  for (;;) {
    const depth = nesting.depth
    at = skipValueStart(bytes, at, end, nesting)
    if (at < 0) return at
    let isFirst = nesting.depth > depth
    for (;;) {
      if (nesting.depth === 0) return at
      const isObject = nesting.inObject
      at = skipSpace(bytes, at, end)
      const byte = at < end ? (bytes[at] as number) : 0
      if (byte === (isObject ? 0x7d : 0x5d)) {
        at += 1
        nesting.depth -= 1
        isFirst = false
        continue
      }
      if (!isFirst) {
        if (byte !== 0x2c) return failure(at, isObject ? EXPECTED_COMMA_OR_BRACE : EXPECTED_COMMA_OR_BRACKET)
        at = skipSpace(bytes, at + 1, end)
      }
      if (isObject) at = skipName(bytes, at, end)
      if (at < 0) return at
      break
    }
  }
}

/** How far the walk through the array came. */
interface Walk {
  items: JsonSpan[]
  /** The failure is inside the element after `items`, not between elements. */
  inElement: boolean
}

/** Returns 0, or a failure. One element too many is put in `items` and ends the walk. */
function walkArray(bytes: Uint8Array, maxItems: number, walk: Walk): number {
  const end = bytes.length
  if (end > 2 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return failure(0, EXPECTED_NO_BOM)
  const open = skipSpace(bytes, 0, end)
  if (open >= end || bytes[open] !== 0x5b) return failure(open, EXPECTED_ARRAY)
  const nesting = new Nesting()
  let at = skipSpace(bytes, open + 1, end)
  if (at >= end || bytes[at] !== 0x5d) {
    for (;;) {
      const start = at
      walk.inElement = true
      at = skipValue(bytes, start, end, nesting)
      if (at < 0) return at
      walk.inElement = false
      walk.items.push({ start, end: at })
      if (walk.items.length > maxItems) return 0
      at = skipSpace(bytes, at, end)
      if (at < end && bytes[at] === 0x5d) break
      if (at >= end || bytes[at] !== 0x2c) return failure(at, EXPECTED_COMMA_OR_BRACKET)
      at = skipSpace(bytes, at + 1, end)
    }
  }
  at = skipSpace(bytes, at + 1, end)
  return at < end ? failure(at, EXPECTED_END) : 0
}

/**
 * Finds the elements of a JSON array without looking into what they mean, so that one bad element harms no other: each
 * span goes to `scanJson(bytes, span)`. Only what leaves the array itself unclear refuses the whole: a syntax error
 * anywhere (RFC 8259), something else than an array, a byte order mark. Invalid UTF-8 inside strings, lone surrogates,
 * duplicate names, depth and size of an element are found by its own scan. `too_many_items` stops at the first element
 * over the limit, whatever follows.
 *
 * Never throws for any bytes and never recurses.
 *
 * @throws RangeError when `maxItems` is not possible: a bug of the caller.
 */
export function splitJsonArray(bytes: Uint8Array, options: SplitOptions): SplitResult {
  const { maxItems } = options
  if (!(maxItems >= 0)) throw new RangeError('maxItems is a number from 0 on')
  const items: JsonSpan[] = []
  const walk: Walk = { items, inElement: false }
  const result = walkArray(bytes, maxItems, walk)
  if (result < 0) {
    const offset = failureOffset(result)
    const message = grammarMessage(bytes, offset, bytes.length, failureReason(result))
    // The walk keeps no names, so the place inside an element stays unknown.
    const path = walk.inElement ? `/${items.length}` : ''
    return { ok: false, error: { code: 'malformed_json', offset, path, message } }
  }
  if (items.length > maxItems) {
    const offset = items[maxItems]?.start ?? 0
    const message = `more than ${maxItems} elements in the array at byte ${offset}`
    return { ok: false, error: { code: 'too_many_items', offset, path: `/${maxItems}`, message } }
  }
  return { ok: true, items }
}
