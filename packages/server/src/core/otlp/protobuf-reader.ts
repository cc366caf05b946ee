import type { DecodeText } from '../json-string.ts'
import { OtlpError } from './otlp-data.ts'

/** Wire types (Protocol Buffers, "Encoding"). */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const LARGEST_FIELD = 0x1fffffff

/**
 * Reads the fields of one protobuf message, in the order they stand. Every length is held against what is there before anything is made
 * of it; groups, which nothing has used for long, are refused.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #decode: DecodeText
  #at: number
  readonly #end: number
  #wire = 0
  /** Number of the field that is to be read. */
  field = 0

  /** @param decode throws where the bytes are not UTF-8 */
  constructor(bytes: Uint8Array, decode: DecodeText, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#decode = decode
    this.#at = start
    this.#end = end
  }

  /** Goes on to the next field; `false`: the message is over. Whatever it was must be read or skipped first. */
  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint()
    if (tag > 0xffffffffn) throw malformed('a field number is too large')
    this.#wire = Number(tag & 7n)
    this.field = Number(tag >> 3n)
    if (this.field === 0 || this.field > LARGEST_FIELD) throw malformed('there is no field of this number')
    return true
  }

  /** The same message from here on, once more. */
  again(): ProtobufReader {
    return new ProtobufReader(this.#bytes, this.#decode, this.#at, this.#end)
  }

  skip(): void {
    if (this.#wire === VARINT) this.#varint()
    else if (this.#wire === FIXED64) this.#take(8)
    else if (this.#wire === FIXED32) this.#take(4)
    else if (this.#wire === BYTES) this.#take(this.#length())
    else throw malformed('a field has a wire type that is not used')
  }

  /** The message in this field. */
  message(): ProtobufReader {
    const start = this.#span()
    return new ProtobufReader(this.#bytes, this.#decode, start, this.#at)
  }

  text(): string {
    const start = this.#span()
    try {
      return this.#decode(this.#bytes, start, this.#at)
    } catch {
      throw malformed('a text is not UTF-8')
    }
  }

  /** How many bytes are in this field. */
  byteLength(): number {
    const start = this.#span()
    return this.#at - start
  }

  /** The bytes in this field as hex digits; more than 16 of them are no id, and not made into one. */
  hex(): string {
    const start = this.#span()
    if (this.#at - start > 16) throw malformed('an id has more than 16 bytes')
    let hex = ''
    for (let at = start; at < this.#at; at++) hex += (this.#bytes[at] as number).toString(16).padStart(2, '0')
    return hex
  }

  /** A number that fits into 32 bits: enumerations. */
  small(): number {
    this.#expect(VARINT)
    return Number(BigInt.asIntN(32, this.#varint()))
  }

  bool(): boolean {
    this.#expect(VARINT)
    return this.#varint() !== 0n
  }

  int64(): bigint {
    this.#expect(VARINT)
    return BigInt.asIntN(64, this.#varint())
  }

  fixed64(): bigint {
    this.#expect(FIXED64)
    return this.#view.getBigUint64(this.#take(8), true)
  }

  double(): number {
    this.#expect(FIXED64)
    return this.#view.getFloat64(this.#take(8), true)
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw malformed(`field ${this.field} has another type than it is known to have`)
  }

  /** Passes over the bytes of this field. @returns where they begin */
  #span(): number {
    this.#expect(BYTES)
    return this.#take(this.#length())
  }

  #length(): number {
    const length = this.#varint()
    if (length > BigInt(this.#end - this.#at)) throw malformed('a length reaches beyond the end')
    return Number(length)
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#end - start) throw malformed('a value reaches beyond the end')
    this.#at = start + count
    return start
  }

  #varint(): bigint {
    let value = 0
    // Four bytes are 28 bits, which a number holds; most are shorter.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(value)
    }
    let long = BigInt(value)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      long |= BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      if (long > 0xffffffffffffffffn) break
      return long
    }
    throw malformed('a number has more than 64 bits')
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed('it ends in the middle of a number')
    return this.#bytes[this.#at++] as number
  }
}

function malformed(message: string): OtlpError {
  return new OtlpError('malformed', `protobuf: ${message}`)
}
