import type { DataClass } from '@runbell/sdk/contract'

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

type Schema = Readonly<Record<string, unknown>>

/**
 * Reads the classes of a schema that has been found in order. References are followed as they are met, so a schema that
 * refers to itself has a shape as well.
 */
export function shapeOf(schema: Schema): DataShape {
  const known = new Map<unknown, DataShape>()
  return read(schema, schema, known)
}

function read(value: unknown, root: Schema, known: Map<unknown, DataShape>): DataShape {
  const schema = asSchema(value)
  const before = known.get(schema)
  if (before !== undefined) return before
  const target = typeof schema['$ref'] === 'string' ? resolve(schema['$ref'], root) : null
  const stated = schema['x-data-class'] as DataClass | undefined
  if (target !== null && stated === undefined) {
    const inner = read(target, root, known)
    known.set(schema, inner)
    return inner
  }
  const shape: DataShape & { -readonly [Key in keyof DataShape]: DataShape[Key] } = {
    dataClass: stated ?? null,
    classFrom: (schema['x-data-class-from'] as string | undefined) ?? null,
    properties: null,
    additional: null,
    items: null,
    fixed: 'pattern' in schema,
  }
  known.set(schema, shape)
  const inside = target === null ? schema : asSchema(target)
  const { properties, additionalProperties, items } = inside
  if (isObject(properties)) {
    shape.properties = new Map(Object.entries(properties).map(([name, field]) => [name, read(field, root, known)]))
  }
  if (isObject(additionalProperties)) shape.additional = read(additionalProperties, root, known)
  if (isObject(items)) shape.items = read(items, root, known)
  return shape
}

/** @param reference `#` or `#/…`: nothing else is registered */
function resolve(reference: string, root: Schema): unknown {
  let found: unknown = root
  for (const token of reference.split('/').slice(1)) {
    const name = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

const EMPTY: Schema = {}

function asSchema(value: unknown): Schema {
  return isObject(value) ? value : EMPTY
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
