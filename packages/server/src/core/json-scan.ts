import { findDuplicateKey } from './json-duplicate-keys.ts'
import { MAX_ERROR_PATH, type JsonError } from './json-error.ts'
import { JsonIndex } from './json-index.ts'
import { ScanPass } from './json-scan-pass.ts'
import type { DecodeText } from './json-string.ts'
import { decodeUtf8 } from './json-utf8.ts'

/** What `scanJson` may be told. */
export interface ScanOptions {
  /** Offset of the first byte to read. @default 0 */
  start?: number
  /** Offset after the last byte to read. @default the length of the bytes */
  end?: number
  /** Arrays and objects inside one another; `{}` alone is 1. 0 allows only scalars. @default 32 */
  maxDepth?: number
  /** Object members and array elements in all, at every level. 0 to 16,000,000. @default 10,000 */
  maxMembers?: number
  /**
   * Turns a span of well-formed UTF-8 into text; a native decoder is 10 times faster on long spans. @default decodeUtf8
   */
  decode?: DecodeText
}

/** Codes `scanJson` refuses with. */
export type ScanErrorCode = 'malformed_json' | 'duplicate_key' | 'too_deep' | 'too_many_members'

/** The index of the bytes, or the first thing that is wrong with them. */
export type ScanResult = { ok: true; json: JsonIndex } | { ok: false; error: JsonError<ScanErrorCode> }

export const DEFAULT_MAX_DEPTH = 32
export const DEFAULT_MAX_MEMBERS = 10_000
/** Offsets are kept as 32-bit integers. */
const LARGEST_OFFSET = 0x7fffffff
/** 32 bytes each: 512 MB of nodes. */
const LARGEST_MAX_MEMBERS = 16_000_000

function limitOf(value: number | undefined, otherwise: number, largest: number): number {
  if (value === undefined) return otherwise
  if (!(value >= 0)) throw new RangeError('a limit is a number from 0 on')
  return Math.min(value, largest)
}

/**
 * Checks bytes as JSON, strictly, and indexes every value's place, in one pass and without decoding. Accepts exactly
 * what `JSON.parse` accepts of the strictly decoded text (RFC 8259), except that it refuses, with a code:
 *
 * - `malformed_json`: also invalid UTF-8, a byte order mark and lone surrogates in `\u` escapes (RFC 8259 section 8);
 * - `too_deep`, `too_many_members`: the limits of the options;
 * - `duplicate_key`: two members of one object whose names are equal after unescaping (RFC 8259 section 4, RFC 7493
 *   section 2.3). Looked for last, so bytes with several faults are named by another; the first object that has one is
 *   reported, and in it the first member whose name came before.
 *
 * Never throws for any bytes and never recurses. Work grows with the bytes, n log n with the members of one object.
 *
 * @throws RangeError when `start`, `end` or a limit is not possible: a bug of the caller.
 */
export function scanJson(bytes: Uint8Array, options: ScanOptions = {}): ScanResult {
  const { start = 0, end = bytes.length } = options
  if (!(start >= 0 && start <= end && end <= bytes.length)) throw new RangeError('start and end must lie in the bytes')
  if (end > LARGEST_OFFSET) throw new RangeError('the bytes must end below 2 GiB')
  const maxDepth = limitOf(options.maxDepth, DEFAULT_MAX_DEPTH, Infinity)
  const maxMembers = limitOf(options.maxMembers, DEFAULT_MAX_MEMBERS, LARGEST_MAX_MEMBERS)
  const pass = new ScanPass(bytes, end, maxDepth, maxMembers)
  const result = pass.run(start)
  if (result < 0) return { ok: false, error: pass.explain(result) }
  const json = new JsonIndex(bytes, pass.finish(), options.decode ?? decodeUtf8)
  const duplicate = findDuplicateKey(json)
  if (duplicate === -1) return { ok: true, json }
  const offset = json.memberStart(duplicate)
  const path = json.pointer(duplicate, MAX_ERROR_PATH)
  const message = `expected every name in an object once but found one again at byte ${offset}`
  return { ok: false, error: { code: 'duplicate_key', offset, path, message } }
}
