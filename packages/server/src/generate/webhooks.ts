import { HEADERS } from '@runbell/sdk/contract'
import { followReferences, isSchemaObject, type SchemaObject } from '../core/schema/schema-problem.ts'
import { currentOf, type CatalogEntry } from './catalog-entry.ts'

/**
 * The `webhooks` of an OpenAPI 3.1 document: what an endpoint receives of each type in format `runbell`. Definitions go
 * into the schema that refers to them, since `#` means the whole document there.
 */
export function renderWebhooks(entries: readonly CatalogEntry[], envelope: string): Record<string, unknown> {
  return Object.fromEntries(entries.map((entry) => [entry.type, webhookOf(entry, envelope)]))
}

/** @param envelope reference to the schema of any event */
function webhookOf(entry: CatalogEntry, envelope: string): unknown {
  const { schema, version } = currentOf(entry)
  const { $schema: _dialect, $defs: _definitions, ...rest } = schema
  const data = inlined(rest, schema, 0)
  const event = {
    allOf: [{ $ref: envelope }],
    type: 'object',
    properties: { type: { const: entry.type }, schema_version: { type: 'integer', maximum: version }, data },
    required: ['type', 'data', ...(entry.runScoped ? ['run_id', 'sequence'] : [])],
  }
  return {
    post: {
      operationId: `on.${entry.type}`,
      summary: entry.fact,
      tags: ['webhooks'],
      parameters: PARAMETERS,
      requestBody: { required: true, content: { 'application/json': { schema: event } } },
      responses: {
        '2XX': { description: 'Taken. What the body says is not looked at.' },
        '410': { description: 'Never again: the endpoint is disabled.' },
        default: { description: 'Not taken: it comes again.' },
      },
    },
  }
}

const PARAMETERS = [
  [HEADERS.id, 'The event’s id: the same on every attempt and replay.'],
  [HEADERS.timestamp, 'Unix seconds of the attempt.'],
  [HEADERS.signature, 'One signature for each secret, newest first (Standard Webhooks).'],
].map(([name, description]) => ({ name, in: 'header', required: true, description, schema: { type: 'string' } }))

const MAX_DEPTH = 40

/** The schema with what it refers to in place of the references. Only schemas without circles can be registered. */
function inlined(value: unknown, root: SchemaObject, depth: number): unknown {
  if (depth > MAX_DEPTH) return {}
  if (Array.isArray(value)) return value.map((item: unknown) => inlined(item, root, depth + 1))
  if (!isSchemaObject(value)) return value
  const members = Object.entries(followReferences(value, root))
  return Object.fromEntries(members.map(([name, inner]) => [name, inlined(inner, root, depth + 1)]))
}
