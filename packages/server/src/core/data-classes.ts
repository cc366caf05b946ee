import { DATA_CLASSES, DEFAULT_DATA_CLASSES, type DataClass } from '@runbell/sdk/contract'

/** A set of data classes, one bit each in the order of `DATA_CLASSES`: what is asked for every value of every event. */
export type ClassMask = number

const BITS: ReadonlyMap<DataClass, ClassMask> = new Map(DATA_CLASSES.map((name, index) => [name, 1 << index]))

/** The bit of one class. */
export function classBit(name: DataClass): ClassMask {
  return BITS.get(name) as ClassMask
}

/** The set of these names; a name that is no class adds nothing. */
export function maskOf(names: Iterable<DataClass>): ClassMask {
  let mask = 0
  for (const name of names) mask |= BITS.get(name) ?? 0
  return mask
}

/** The names in a set, in alphabetical order. */
export function classNames(mask: ClassMask): DataClass[] {
  return DATA_CLASSES.filter((name) => (mask & classBit(name)) !== 0).toSorted()
}

/** What every endpoint and key gets without a grant. */
export const ALWAYS_GRANTED: ClassMask = maskOf(DEFAULT_DATA_CLASSES)

/** Every class that can be granted; `credential` is in no set of grants. */
export const DELIVERABLE: ClassMask = maskOf(DATA_CLASSES.filter((name) => name !== 'credential'))

/** What may be granted to an endpoint, besides what it always gets. */
export const GRANTABLE_CLASSES: readonly DataClass[] = DATA_CLASSES.filter(
  (name) => name !== 'credential' && !DEFAULT_DATA_CLASSES.includes(name),
)
