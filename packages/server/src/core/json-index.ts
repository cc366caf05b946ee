import { joinPointer, pointerTokens } from './json-pointer.ts'
import { stringAt, type DecodeText } from './json-string.ts'
import {
  END,
  HEAD,
  JSON_KINDS,
  KEY_END,
  KEY_START,
  KIND_MASK,
  KIND_OBJECT,
  KIND_STRING,
  NEXT,
  NODE_SIZE,
  PARENT,
  PLAIN_KEY,
  PLAIN_VALUE,
  POSITION,
  START,
  type JsonKind,
  type JsonTape,
} from './json-tape.ts'
import { containerValue } from './json-value.ts'

/**
 * Where every value of a JSON text is, without the values. A node is a number: the root is 0, the others follow in
 * document order, so the nodes inside `node` are `node + 1` to before `subtreeEnd(node)`. Only for node numbers it gave
 * out itself.
 *
 * Keeps the bytes it was made from; they must not be changed while it is used. Made to be used and dropped: an index
 * kept for long keeps the 128 KB record it shares with others.
 */
export class JsonIndex {
  readonly bytes: Uint8Array
  /** The whole value. */
  readonly root = 0
  /** Values in all, the root included. */
  readonly nodeCount: number
  /** The record behind the methods; for this folder's files only. */
  readonly tape: JsonTape
  readonly #decode: DecodeText

  constructor(bytes: Uint8Array, tape: JsonTape, decode: DecodeText) {
    this.bytes = bytes
    this.nodeCount = tape.count
    this.tape = tape
    this.#decode = decode
  }

  #field(node: number, field: number): number {
    return this.tape.cells[this.tape.base + node * NODE_SIZE + field] as number
  }

  /** JSON Schema's word for what the value is. */
  kind(node: number): JsonKind {
    return JSON_KINDS[this.#field(node, HEAD) & KIND_MASK] as JsonKind
  }

  /** Offset of the value's first byte. */
  start(node: number): number {
    return this.#field(node, START)
  }

  /** Offset after the value's last byte; a member ends where its value ends. */
  end(node: number): number {
    return this.#field(node, END)
  }

  /** Offset where the whole member begins: its name's opening quote, or the value itself where there is no name. */
  memberStart(node: number): number {
    const keyStart = this.#field(node, KEY_START)
    return keyStart === -1 ? this.#field(node, START) : keyStart
  }

  /** Offset of the comma before this member or element; its `memberStart` where it is the first of its siblings. */
  separatorStart(node: number): number {
    let at = this.memberStart(node)
    if (this.#field(node, POSITION) === 0) return at
    // Between siblings there is one comma and otherwise only white space.
    while (this.bytes[at] !== 0x2c) at -= 1
    return at
  }

  /** The array or object that holds this value, -1 for the root. */
  parent(node: number): number {
    return this.#field(node, PARENT)
  }

  /** How many siblings come before: an array element's index. */
  position(node: number): number {
    return this.#field(node, POSITION)
  }

  /** The node after this value and all inside it, `nodeCount` at the end. */
  subtreeEnd(node: number): number {
    return this.#field(node, NEXT)
  }

  /** The first member or element, -1 for scalars and empty containers. */
  firstChild(node: number): number {
    return this.#field(node, NEXT) > node + 1 ? node + 1 : -1
  }

  /** The next member or element of the same parent, or -1. */
  nextSibling(node: number): number {
    const parent = this.#field(node, PARENT)
    const next = this.#field(node, NEXT)
    return parent !== -1 && next < this.#field(parent, NEXT) ? next : -1
  }

  /** Members or elements in order. On hot paths `firstChild` and `nextSibling` save the iterator. */
  *children(node: number): Generator<number, void, undefined> {
    for (let child = this.firstChild(node); child !== -1; child = this.nextSibling(child)) yield child
  }

  /** Whether the node is a member of an object; `false` for array elements and the root. */
  hasKey(node: number): boolean {
    return this.#field(node, KEY_START) !== -1
  }

  /** Offset of the name's opening quote, -1 where there is no name. */
  keyStart(node: number): number {
    return this.#field(node, KEY_START)
  }

  /** Offset after the name's closing quote, -1 where there is no name. */
  keyEnd(node: number): number {
    return this.#field(node, KEY_END)
  }

  /** The name is ASCII without escapes: its bytes are its characters. */
  isPlainKey(node: number): boolean {
    return (this.#field(node, HEAD) & PLAIN_KEY) !== 0
  }

  /** The member's name, unescaped. @throws TypeError where there is none */
  keyText(node: number): string {
    const start = this.#field(node, KEY_START)
    if (start === -1) throw new TypeError('only members of objects have a name')
    return stringAt(this.bytes, start, this.#field(node, KEY_END), this.isPlainKey(node), this.#decode)
  }

  /** Whether the member's name, unescaped, is `key`. Decodes nothing where the name is plain. */
  keyEquals(node: number, key: string): boolean {
    const first = this.#field(node, KEY_START) + 1
    if (first === 0) return false
    if (!this.isPlainKey(node)) return this.keyText(node) === key
    if (this.#field(node, KEY_END) - 1 - first !== key.length) return false
    for (let index = 0; index < key.length; index += 1) {
      if (this.bytes[first + index] !== key.charCodeAt(index)) return false
    }
    return true
  }

  /** The member of an object with this name, or -1, also where the node is no object. Looks at each member in turn. */
  member(node: number, key: string): number {
    if ((this.#field(node, HEAD) & KIND_MASK) !== KIND_OBJECT) return -1
    for (let child = this.firstChild(node); child !== -1; child = this.nextSibling(child)) {
      if (this.keyEquals(child, key)) return child
    }
    return -1
  }

  /** A string value's text, unescaped. @throws TypeError for another kind */
  text(node: number): string {
    const head = this.#field(node, HEAD)
    if ((head & KIND_MASK) !== KIND_STRING) throw new TypeError(`a ${this.kind(node)} has no text`)
    const { bytes } = this
    return stringAt(bytes, this.#field(node, START), this.#field(node, END), (head & PLAIN_VALUE) !== 0, this.#decode)
  }

  /** What `JSON.parse` should make of the value's bytes: `1E400` is `Infinity`, `__proto__` an own property. */
  value(node: number): unknown {
    switch (this.kind(node)) {
      case 'string':
        return this.text(node)
      case 'null':
        return null
      case 'boolean':
        return this.bytes[this.start(node)] === 0x74
      case 'number':
        return Number(this.source(node))
      default:
        return containerValue(this, node)
    }
  }

  /** The value's own bytes as text. */
  source(node: number): string {
    return this.#decode(this.bytes, this.start(node), this.end(node))
  }

  /**
   * JSON Pointer (RFC 6901); `''` for the root. With `maxLength`, in characters, an ancestor's where its own is longer:
   * set it where a list of pointers leaves the process, since every one repeats its ancestors' names.
   *
   * @default maxLength Infinity
   */
  pointer(node: number, maxLength = Infinity): string {
    return joinPointer(pointerTokens(this.tape, this.bytes, node), maxLength)
  }
}
