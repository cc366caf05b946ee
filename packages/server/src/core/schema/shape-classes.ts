import { DELIVERABLE, classBit, type ClassMask } from '../data-classes.ts'
import type { DataShape } from './data-shape.ts'

const known = new WeakMap<DataShape, ClassMask>()

/** The classes that values of this shape can have; all of them where the data itself names one. */
export function classesIn(shape: DataShape): ClassMask {
  const before = known.get(shape)
  if (before !== undefined) return before
  // A shape that is met again inside itself adds nothing.
  known.set(shape, 0)
  let classes = shape.dataClass === null ? 0 : classBit(shape.dataClass)
  if (shape.classFrom !== null) classes |= DELIVERABLE
  for (const inner of [...(shape.properties?.values() ?? []), shape.additional, shape.items]) {
    if (inner !== null) classes |= classesIn(inner)
  }
  known.set(shape, classes)
  return classes
}
