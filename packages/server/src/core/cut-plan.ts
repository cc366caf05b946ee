import type { DataClass } from '@runbell/sdk/contract'
import { applyEdits, utf8Bytes, type ByteEdit } from './byte-edits.ts'
import { DELIVERABLE, classBit, maskOf, type ClassMask } from './data-classes.ts'
import type { JsonIndex } from './json-index.ts'
import { removalSpans } from './json-removal.ts'
import type { DataShape } from './schema/data-shape.ts'

/** What stands in place of a value whose class is named beside it and is not granted (contract, "Approvals"). */
const MASK = utf8Bytes('"•••"')
const TRUE = utf8Bytes('true')
const MASKED_MEMBER = utf8Bytes(',"masked":true')
const EMPTY_OBJECT = utf8Bytes('{}')

/** A part of the data that travels or is cut as a whole. */
export interface Part {
  node: number
  /** Its class; 0: the schema does not know it, and it never travels. */
  bit: ClassMask
  /** Not cut but masked, for its label beside it stays; with the member `masked` where the schema has one. */
  masks: 'no' | 'value' | 'value_and_flag'
}

/** Data after cutting. */
export interface Cut {
  /** `null`: nothing had to go, the data's own bytes are right. */
  data: Uint8Array | null
  /** Classes of which something was cut or masked. */
  withheld: ClassMask
}

/**
 * Where each class of value is in the data of one event: found once, then cut for any set of grants. The bytes of what
 * stays are never changed.
 */
export class CutPlan {
  /** In document order, none inside another. */
  readonly parts: readonly Part[]
  /** The classes that occur. */
  readonly classes: ClassMask
  /** Something is there that the schema does not know. */
  readonly hasUnknown: boolean
  readonly json: JsonIndex
  /** The node of the data. */
  readonly data: number

  constructor(json: JsonIndex, data: number, parts: readonly Part[]) {
    this.json = json
    this.parts = parts
    this.data = data
    let classes = 0
    let hasUnknown = false
    for (const { bit } of parts) {
      classes |= bit
      if (bit === 0) hasUnknown = true
    }
    this.classes = classes
    this.hasUnknown = hasUnknown
  }

  /**
   * The data as somebody with these grants gets it.
   * @param after what is put behind it in the same array, unless nothing had to go
   */
  cut(granted: ClassMask, after: Uint8Array | null = null): Cut {
    const withheld = this.classes & ~granted
    if (withheld === 0 && !this.hasUnknown) return { data: null, withheld }
    const removed: number[] = []
    const edits: ByteEdit[] = []
    const flagged = new Set<number>()
    for (const { node, bit, masks } of this.parts) {
      if ((bit & granted) !== 0) continue
      if (node === this.data) return { data: after === null ? EMPTY_OBJECT : joined(EMPTY_OBJECT, after), withheld }
      if (masks === 'no') removed.push(node)
      else this.#mask(node, masks === 'value_and_flag' ? flagged : null, edits)
    }
    for (const { start, end } of removalSpans(this.json, removed)) edits.push({ start, end, text: null })
    edits.sort((one, other) => one.start - other.start || one.end - other.end)
    const { json } = this
    const end = json.end(this.data)
    if (after !== null) edits.push({ start: end, end, text: after })
    return { data: applyEdits(json.bytes, json.start(this.data), end, edits), withheld }
  }

  /** @param flagged objects that say already that something in them is masked; `null`: they cannot say it */
  #mask(node: number, flagged: Set<number> | null, edits: ByteEdit[]): void {
    const { json } = this
    const start = json.start(node)
    const end = json.end(node)
    edits.push({ start, end, text: MASK })
    const parent = json.parent(node)
    if (flagged === null || flagged.has(parent)) return
    flagged.add(parent)
    const flag = json.member(parent, 'masked')
    if (flag === -1) edits.push({ start: end, end, text: MASKED_MEMBER })
    else edits.push({ start: json.start(flag), end: json.end(flag), text: TRUE })
  }
}

/** Finds the parts of an event's data. Linear in the number of values. @param data the node of the data */
export function planCuts(json: JsonIndex, data: number, shape: DataShape): CutPlan {
  const parts: Part[] = []

  function visit(node: number, at: DataShape): void {
    if (at.dataClass !== null) return void parts.push({ node, bit: classBit(at.dataClass), masks: 'no' })
    const kind = json.kind(node)
    if (kind === 'object' && (at.properties !== null || at.additional !== null)) return visitMembers(node, at)
    if (kind === 'array' && at.items !== null) {
      for (let child = json.firstChild(node); child !== -1; child = json.nextSibling(child)) visit(child, at.items)
      return
    }
    // A value where an object or a list should be, or one that nothing is said of: fail closed.
    parts.push({ node, bit: 0, masks: 'no' })
  }

  function visitMembers(node: number, at: DataShape): void {
    const named = at.classFrom === null ? 0 : namedClass(json, node, at.classFrom)
    for (let child = json.firstChild(node); child !== -1; child = json.nextSibling(child)) {
      const inner = at.properties?.get(json.keyText(child)) ?? at.additional
      if (inner === null) parts.push({ node: child, bit: 0, masks: 'no' })
      else if (at.classFrom !== null && inner.dataClass === null && isPlain(inner)) {
        const masks = at.properties?.has('masked') === true ? 'value_and_flag' : 'value'
        parts.push({ node: child, bit: named, masks: named === 0 ? 'no' : masks })
      } else visit(child, inner)
    }
  }

  visit(data, shape)
  return new CutPlan(json, data, parts)
}

/** Two arrays as one. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** The class that a member names; 0: none that can be granted. */
function namedClass(json: JsonIndex, object: number, name: string): ClassMask {
  const node = json.member(object, name)
  if (node === -1 || json.kind(node) !== 'string') return 0
  return maskOf([json.text(node) as DataClass]) & DELIVERABLE
}

function isPlain(shape: DataShape): boolean {
  return shape.properties === null && shape.items === null && shape.additional === null
}
