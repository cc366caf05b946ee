import type { DataClass } from '@runbell/sdk/contract'
import { followReferences, isSchemaObject, resolveLocal, type SchemaObject } from './schema-problem.ts'

/**
 * A schema as far as cutting needs it: which parts of the data are known, and the class of each. Made once for each
 * version of a type.
 */
export interface DataShape {
  /** The class of this value and of everything inside it; `null`: what is inside has classes of its own. */
  dataClass: DataClass | null
  /** The member of this object that names the class of those members that have none. */
  classFrom: string | null
  /** Known members. */
  properties: ReadonlyMap<string, DataShape> | null
  /** What members that are not among `properties` are; `null`: they are unknown, and cut. */
  additional: DataShape | null
  /** What the elements of an array are; `null`: unknown. */
  items: DataShape | null
  /** Strings here have a `pattern`, and are never masked (details 5). */
  fixed: boolean
}

type Schema = SchemaObject

/**
 * Reads the classes of a schema that has been found in order. References are followed as they are met, so a schema that
 * refers to itself has a shape as well.
 */
export function shapeOf(schema: Schema): DataShape {
  const known = new Map<unknown, DataShape>()
  return read(schema, schema, known)
}

function read(value: unknown, root: Schema, known: Map<unknown, DataShape>): DataShape {
  const schema = isSchemaObject(value) ? value : EMPTY
  const before = known.get(schema)
  if (before !== undefined) return before
  const stated = schema['x-data-class'] as DataClass | undefined
  if (typeof schema['$ref'] === 'string' && stated === undefined) {
    const inner = read(resolveLocal(schema['$ref'], root), root, known)
    const shape = 'pattern' in schema && !inner.fixed ? { ...inner, fixed: true } : inner
    known.set(schema, shape)
    return shape
  }
  const inside = followReferences(schema, root)
  const shape: DataShape & { -readonly [Key in keyof DataShape]: DataShape[Key] } = {
    dataClass: stated ?? null,
    classFrom: (schema['x-data-class-from'] as string | undefined) ?? null,
    properties: null,
    additional: null,
    items: null,
    fixed: 'pattern' in inside,
  }
  known.set(schema, shape)
  const { properties, additionalProperties, items } = inside
  if (isSchemaObject(properties)) {
    shape.properties = new Map(Object.entries(properties).map(([name, field]) => [name, read(field, root, known)]))
  }
  if (isSchemaObject(additionalProperties)) shape.additional = read(additionalProperties, root, known)
  if (isSchemaObject(items)) shape.items = read(items, root, known)
  return shape
}

const EMPTY: Schema = {}
