import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BUILT_IN_TYPES, type JsonSchema } from '@runbell/sdk/catalog'
import type { DataClass, Envelope } from '@runbell/sdk/contract'

const SHARED = fileURLToPath(new URL('../../../../../shared/contract/examples.ndjson', import.meta.url))

/** Why the sixteen examples that lie beside the project are not there; `null`: they are. */
export const NO_EXAMPLES = existsSync(SHARED) ? null : 'the shared examples are not beside this checkout'

/** One sample of every built-in type, and the sixteen examples where they are there. */
export function exampleEvents(): Envelope[] {
  const samples = [...BUILT_IN_TYPES.values()].map(({ samples: { live } }) => live)
  if (NO_EXAMPLES !== null) return samples
  const lines = readFileSync(SHARED, 'utf8').trim().split('\n')
  return [...samples, ...lines.map((line) => JSON.parse(line) as Envelope)]
}

/** What its producer would have published. */
export function publishedAs(event: Envelope): Record<string, unknown> {
  const { sequence: _sequence, recorded_at: _recordedAt, withheld: _withheld, ...rest } = event
  return rest
}

/** A value of an event that travels or is cut as a whole. */
export interface ClassedValue {
  /** JSON Pointer into the event. */
  path: string
  dataClass: DataClass
  value: unknown
  /** Masked rather than cut. */
  masked: boolean
}

/** Every value with its class, found by walking schema and data side by side: not the code that cuts. */
export function classedValues(event: Envelope): ClassedValue[] {
  const schema = BUILT_IN_TYPES.get(event.type)?.versions[0]?.schema as JsonSchema
  const found = walk(schema, schema, event.data, '/data')
  for (const key of ['name', 'version'] as const) {
    const value = event.agent[key]
    if (value !== undefined) found.push({ path: `/agent/${key}`, dataClass: 'operational', value, masked: false })
  }
  return found
}

function walk(root: JsonSchema, schema: JsonSchema, value: unknown, path: string): ClassedValue[] {
  const own = schema['x-data-class']
  if (own !== undefined) return [{ path, dataClass: own, value, masked: false }]
  if (schema.$ref !== undefined) {
    return walk(root, root.$defs?.[schema.$ref.slice('#/$defs/'.length)] as JsonSchema, value, path)
  }
  if (Array.isArray(value))
    return value.flatMap((item, index) => walk(root, schema.items ?? {}, item, `${path}/${index}`))
  const from = schema['x-data-class-from']
  return Object.entries(value as Record<string, unknown>).flatMap(([name, inner]) => {
    const field = schema.properties?.[name] as JsonSchema
    if (from !== undefined && field['x-data-class'] === undefined) {
      const dataClass = (value as Record<string, DataClass>)[from] as DataClass
      return [{ path: `${path}/${name}`, dataClass, value: inner, masked: true }]
    }
    return walk(root, field, inner, `${path}/${name}`)
  })
}
