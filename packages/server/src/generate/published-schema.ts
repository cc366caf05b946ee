import type { SchemaObject } from '../core/schema/schema-problem.ts'

/** A version's schema as it is served and kept in files: complete in itself, with the address it is found at. */
export function publishedSchema(type: string, schema: SchemaObject, url: string): SchemaObject {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: url, title: type, ...schema }
}
