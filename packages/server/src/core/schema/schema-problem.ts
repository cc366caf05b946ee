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

/** What a local reference leads to; `undefined`: nowhere. */
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

const MAX_HOPS = 32

/** A schema with what it refers to in place of its reference, and what stands beside that on top; `{}` for none. */
export function followReferences(value: unknown, root: SchemaObject): SchemaObject {
  let schema = isSchemaObject(value) ? value : {}
  for (let hops = 0; hops < MAX_HOPS && typeof schema['$ref'] === 'string'; hops++) {
    const target = resolveLocal(schema['$ref'], root)
    const { $ref: _reference, ...beside } = schema
    schema = { ...(isSchemaObject(target) ? target : {}), ...beside }
  }
  return schema
}
