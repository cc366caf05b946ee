/**
 * The flat record the scanner writes: one node per JSON value, in document order, eight 32-bit integers each.
 * A typed array instead of objects because a 1 KB event has about 40 values.
 */
export const NODE_SIZE = 8

/** Kind in bits 0 to 2, then {@link PLAIN_VALUE} and {@link PLAIN_KEY}. */
export const HEAD = 0
/** Offset of the value's first byte. */
export const START = 1
/** Offset after the value's last byte. */
export const END = 2
/** Offset of the opening quote of the member's name, -1 for array elements and the root. */
export const KEY_START = 3
/** Offset after the closing quote of the member's name, -1 where there is none. */
export const KEY_END = 4
/** The first node after this value and everything inside it. */
export const NEXT = 5
/** The array or object that holds this value, -1 for the root. */
export const PARENT = 6
/** How many siblings come before. */
export const POSITION = 7

/** The string value has neither escapes nor bytes above 0x7F: its bytes are its characters. */
export const PLAIN_VALUE = 8
/** The same of the member's name. */
export const PLAIN_KEY = 16

export const KIND_MASK = 7
export const KIND_OBJECT = 0
export const KIND_ARRAY = 1
export const KIND_STRING = 2
export const KIND_NUMBER = 3
export const KIND_BOOLEAN = 4
export const KIND_NULL = 5

/** The words of JSON Schema's `type`, in the order of the `KIND_` numbers. */
export const JSON_KINDS = ['object', 'array', 'string', 'number', 'boolean', 'null'] as const

/** What a JSON value is. */
export type JsonKind = (typeof JSON_KINDS)[number]

/** The nodes of one JSON text: node n begins at `base + n * NODE_SIZE` in `cells`, which other texts' nodes share. */
export interface JsonTape {
  readonly cells: Int32Array
  readonly base: number
  /** Nodes in all. */
  readonly count: number
}
