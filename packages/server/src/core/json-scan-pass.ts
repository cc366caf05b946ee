import {
  EXPECTED_COLON,
  EXPECTED_COMMA_OR_BRACE,
  EXPECTED_COMMA_OR_BRACKET,
  EXPECTED_END,
  EXPECTED_NAME,
  EXPECTED_NO_BOM,
  EXPECTED_VALUE,
  LIMIT_DEPTH,
  LIMIT_MEMBERS,
  MAX_ERROR_PATH,
  failure,
  failureOffset,
  failureReason,
  grammarMessage,
  type JsonError,
} from './json-error.ts'
import { joinPointer, pointerTokens } from './json-pointer.ts'
import { stringAt } from './json-string.ts'
import {
  END,
  HEAD,
  KEY_END,
  KEY_START,
  KIND_ARRAY,
  KIND_BOOLEAN,
  KIND_MASK,
  KIND_NULL,
  KIND_NUMBER,
  KIND_OBJECT,
  KIND_STRING,
  NEXT,
  NODE_SIZE,
  PARENT,
  PLAIN_KEY,
  PLAIN_VALUE,
  POSITION,
  START,
  type JsonTape,
} from './json-tape.ts'
import { plainEnd, skipNumber, skipSpace, skipStringRest, skipWord } from './json-tokens.ts'

/** Codes of what one pass finds; duplicate names are looked for afterwards. */
export type ScanPassErrorCode = 'malformed_json' | 'too_deep' | 'too_many_members'

/**
 * Nodes a slab has room for: 128 KB, about 100 events of 1 KB. Scans write one behind the other into the same slab, and
 * a full one is left to its indexes: an array for each scan cost 1.7 µs an event, a slab 0.1.
 */
const SLAB_NODES = 4_096
/** The largest slab kept for the next scan: 512 KB, what 10,000 members need. */
const KEPT_NODES = 16_384

let slab = new Int32Array(SLAB_NODES * NODE_SIZE)
/** The first free cell. Scans never yield, so one ends before the next begins. */
let slabUsed = 0

/**
 * One pass over the bytes. The nesting is kept in the tape's parent links, so there is neither recursion nor a stack.
 */
export class ScanPass {
  cells = slab
  base = slabUsed
  count = 0
  /** The innermost array or object still open, -1 outside all. */
  container = -1
  /** How many children it has so far. */
  position = 0
  /** How many arrays and objects are open. */
  depth = 0
  /** The name of the member whose value comes next. */
  keyStart = -1
  keyEnd = -1
  keyFlag = 0
  /** A value is being read, so an error's path includes its name or position. */
  atValue = true
  readonly bytes: Uint8Array
  readonly end: number
  readonly maxDepth: number
  readonly maxMembers: number

  constructor(bytes: Uint8Array, end: number, maxDepth: number, maxMembers: number) {
    this.bytes = bytes
    this.end = end
    this.maxDepth = maxDepth
    this.maxMembers = maxMembers
  }

  /** The offset after the value and its white space, or a failure. */
  run(start: number): number {
    const { bytes, end } = this
    if (start + 2 < end && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
      return failure(start, EXPECTED_NO_BOM)
    }
    let at = skipSpace(bytes, start, end)
    for (;;) {
      this.atValue = true
      at = this.readValue(at)
      if (at < 0) return at
      this.atValue = false
      at = this.toNextValue(at)
      if (at < 0) return at
      if (this.container === -1) break
    }
    at = skipSpace(bytes, at, end)
    return at < end ? failure(at, EXPECTED_END) : at
  }

  /** Reads a scalar whole, or the opening bracket of an array or object. */
  private readValue(at: number): number {
    const { bytes, end } = this
    if (at >= end) return failure(at, EXPECTED_VALUE)
    const first = bytes[at] as number
    if (first === 0x22) {
      const plain = plainEnd(bytes, at + 1, end)
      if (plain < end && bytes[plain] === 0x22) return this.add(KIND_STRING | PLAIN_VALUE, at, plain + 1)
      const after = skipStringRest(bytes, plain, end, true)
      return after < 0 ? after : this.add(KIND_STRING, at, after)
    }
    if (first === 0x7b || first === 0x5b) return this.open(first === 0x7b ? KIND_OBJECT : KIND_ARRAY, at)
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) {
      const after = skipNumber(bytes, at, end)
      return after < 0 ? after : this.add(KIND_NUMBER, at, after)
    }
    if (first === 0x74 || first === 0x66 || first === 0x6e) {
      const after = skipWord(bytes, at, end, first)
      return after < 0 ? after : this.add(first === 0x6e ? KIND_NULL : KIND_BOOLEAN, at, after)
    }
    return failure(at, EXPECTED_VALUE)
  }

  /** Writes a node; the root is no member, so it is not counted. */
  private add(head: number, start: number, end: number): number {
    const node = this.count
    if (node > this.maxMembers) return failure(this.keyStart < 0 ? start : this.keyStart, LIMIT_MEMBERS)
    let record = this.base + node * NODE_SIZE
    if (record === this.cells.length) record = this.grow()
    const { cells } = this
    cells[record + HEAD] = head | this.keyFlag
    cells[record + START] = start
    cells[record + END] = end
    cells[record + KEY_START] = this.keyStart
    cells[record + KEY_END] = this.keyEnd
    cells[record + NEXT] = node + 1
    cells[record + PARENT] = this.container
    cells[record + POSITION] = this.position
    this.count = node + 1
    this.position += 1
    return end
  }

  /** Moves the nodes so far to a slab with room for twice as many, and returns where the next one goes. */
  private grow(): number {
    const used = this.count * NODE_SIZE
    const larger = new Int32Array(Math.max(SLAB_NODES * NODE_SIZE, used * 2))
    larger.set(this.cells.subarray(this.base, this.base + used))
    this.cells = larger
    this.base = 0
    return used
  }

  /** Ends the scan: the nodes stay where they are, the next scan writes behind them. */
  finish(): JsonTape {
    const { cells, base, count } = this
    const isKept = cells.length <= KEPT_NODES * NODE_SIZE
    slab = isKept ? cells : new Int32Array(SLAB_NODES * NODE_SIZE)
    slabUsed = isKept ? base + count * NODE_SIZE : 0
    return { cells, base, count }
  }

  private open(kind: number, at: number): number {
    if (this.depth >= this.maxDepth) return failure(at, LIMIT_DEPTH)
    const node = this.count
    const after = this.add(kind, at, at + 1)
    if (after < 0) return after
    this.depth += 1
    this.container = node
    this.position = 0
    return after
  }

  /** Closes what ends here, then reads the comma and the name before the next value. Stops outside all containers. */
  private toNextValue(from: number): number {
    const { bytes, end, cells, base } = this
    let at = from
    while (this.container !== -1) {
      const record = base + this.container * NODE_SIZE
      const isObject = ((cells[record + HEAD] as number) & KIND_MASK) === KIND_OBJECT
      at = skipSpace(bytes, at, end)
      const byte = at < end ? (bytes[at] as number) : 0
      if (byte === (isObject ? 0x7d : 0x5d)) {
        at += 1
        cells[record + END] = at
        cells[record + NEXT] = this.count
        this.position = (cells[record + POSITION] as number) + 1
        this.container = cells[record + PARENT] as number
        this.depth -= 1
        continue
      }
      if (this.position > 0) {
        if (byte !== 0x2c) return failure(at, isObject ? EXPECTED_COMMA_OR_BRACE : EXPECTED_COMMA_OR_BRACKET)
        at = skipSpace(bytes, at + 1, end)
      }
      if (isObject) return this.readName(at)
      this.keyStart = -1
      this.keyEnd = -1
      this.keyFlag = 0
      return at
    }
    return at
  }

  /** The member's name and the colon. */
  private readName(at: number): number {
    const { bytes, end } = this
    if (at >= end || bytes[at] !== 0x22) return failure(at, EXPECTED_NAME)
    let after = plainEnd(bytes, at + 1, end)
    if (after < end && bytes[after] === 0x22) {
      after += 1
      this.keyFlag = PLAIN_KEY
    } else {
      after = skipStringRest(bytes, after, end, true)
      if (after < 0) return after
      this.keyFlag = 0
    }
    this.keyStart = at
    this.keyEnd = after
    after = skipSpace(bytes, after, end)
    if (after >= end || bytes[after] !== 0x3a) return failure(after, EXPECTED_COLON)
    return skipSpace(bytes, after + 1, end)
  }

  /** The failure in words. */
  explain(encoded: number): JsonError<ScanPassErrorCode> {
    const { bytes, container } = this
    const offset = failureOffset(encoded)
    const reason = failureReason(encoded)
    const tokens = container < 0 ? [] : pointerTokens(this, bytes, container)
    if (container >= 0 && this.atValue) {
      tokens.push(this.keyStart < 0 ? String(this.position) : stringAt(bytes, this.keyStart, this.keyEnd, false))
    }
    const path = joinPointer(tokens, MAX_ERROR_PATH)
    if (reason === LIMIT_DEPTH) {
      const message = `arrays and objects are nested deeper than ${this.maxDepth} levels at byte ${offset}`
      return { code: 'too_deep', offset, path, message }
    }
    if (reason === LIMIT_MEMBERS) {
      const message = `more than ${this.maxMembers} members and elements in all at byte ${offset}`
      return { code: 'too_many_members', offset, path, message }
    }
    return { code: 'malformed_json', offset, path, message: grammarMessage(bytes, offset, this.end, reason) }
  }
}
