/** One place of a schema that cannot stand as it is. */
export interface SchemaProblem {
  /** JSON Pointer into the schema. */
  path: string
  message: string
  fix: string
}

export type SchemaObject = Readonly<Record<string, unknown>>

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A path one token longer (RFC 6901). */
export function inside(path: string, token: string | number): string {
  return `${path}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What a local reference leads to; `undefined`: nowhere. Percent signs are taken as they are: `check-schema` lets none in. */
export function resolveLocal(reference: string, root: unknown): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let found: unknown = root
  for (const token of reference.slice(2).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    found = isSchemaObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

/** `false` as an object: nothing is valid. */
const NEVER: SchemaObject = { not: {} }

/**
 * A schema with what it refers to in place of its reference, and what stands beside that on top: both hold, for
 * `check-schema` lets nothing stand beside a reference that its target says otherwise. `{}` for no schema.
 */
export function followReferences(value: unknown, root: SchemaObject): SchemaObject {
  let schema = asObject(value)
  const followed = new Set<string>()
  while (typeof schema['$ref'] === 'string' && !followed.has(schema['$ref'])) {
    followed.add(schema['$ref'])
    const { $ref: reference, ...beside } = schema
    schema = { ...asObject(resolveLocal(reference, root)), ...beside }
  }
  return schema
}

function asObject(value: unknown): SchemaObject {
  if (value === false) return NEVER
  return isSchemaObject(value) ? value : {}
}
