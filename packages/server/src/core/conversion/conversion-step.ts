/**
 * How one version's data becomes the data of the version before it: declared, never code. Steps run in order.
 *
 * A path is a JSON Pointer (RFC 6901) into `data` whose tokens name members of objects; the token `*` stands for every
 * element of an array. A step whose path leads nowhere in an event changes nothing.
 */
export type ConversionStep =
  /** Gives a member another name in the same object. */
  | { op: 'rename'; path: string; to: string }
  /** Takes a member out of one object and puts it into another, which must be there or is made. No `*` in either path. */
  | { op: 'move'; from: string; to: string }
  /** Takes a member away. */
  | { op: 'drop'; path: string }
  /** Sets a member to a fixed value, or only where it is not there; its object must be there. */
  | { op: 'constant'; path: string; value: ConstantValue; only_if_absent?: boolean }
  /** Replaces a string, number or boolean by another; one that is not in `values` becomes `otherwise`, or stays. */
  | { op: 'map'; path: string; values: Readonly<Record<string, ConstantValue>>; otherwise?: ConstantValue }

/** What `constant` and `map` can put in. */
export type ConstantValue = string | number | boolean | null
