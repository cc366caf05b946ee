import { followReferences, isSchemaObject, type SchemaObject } from '../core/schema/schema-problem.ts'

/** A field of the data, as a page lists it. */
export interface FieldRow {
  /** `error.code`, `details[].label`. */
  path: string
  type: string
  required: boolean
  /** `null`: its parts have classes of their own. */
  dataClass: string | null
  description: string
}

const MAX_DEPTH = 6

/** Every field of a schema in its order, those inside others after them. */
export function fieldRows(schema: SchemaObject): FieldRow[] {
  const rows: FieldRow[] = []

  function visit(value: unknown, path: string, required: boolean, inherited: string | null, depth: number): void {
    const field = followReferences(value, schema)
    const stated = classOf(field) ?? inherited
    const description = typeof field['description'] === 'string' ? field['description'] : ''
    rows.push({ path, type: typeText(field), required, dataClass: stated, description })
    if (depth >= MAX_DEPTH) return
    if (field['type'] !== 'array') return fieldsOf(field, `${path}.`, stated, depth)
    const item = followReferences(field['items'], schema)
    if (isSchemaObject(item['properties'])) fieldsOf(item, `${path}[].`, classOf(item) ?? stated, depth)
    else if (isSchemaObject(field['items'])) visit(item, `${path}[]`, false, stated, depth + 1)
  }

  function fieldsOf(object: SchemaObject, prefix: string, inherited: string | null, depth: number): void {
    const { properties, additionalProperties: rest } = object
    const required = Array.isArray(object['required']) ? object['required'] : []
    for (const [name, field] of Object.entries(isSchemaObject(properties) ? properties : {})) {
      visit(field, prefix + name, required.includes(name), classIn(object, name) ?? inherited, depth + 1)
    }
    // Members under any other name.
    if (isSchemaObject(rest)) visit(rest, `${prefix}*`, false, inherited, depth + 1)
  }

  fieldsOf(schema, '', classOf(schema), 0)
  return rows
}

function classOf(schema: SchemaObject): string | null {
  return typeof schema['x-data-class'] === 'string' ? schema['x-data-class'] : null
}

/** In an object one field of which names the class of those that have none. */
function classIn(object: SchemaObject, name: string): string | null {
  const from = object['x-data-class-from']
  const field = (object['properties'] as SchemaObject)[name]
  const own = isSchemaObject(field) && (field['x-data-class'] !== undefined || '$ref' in field)
  return typeof from === 'string' && !own ? `as ${from} says` : null
}

function typeText(field: SchemaObject): string {
  if ('const' in field) return JSON.stringify(field['const'])
  if (Array.isArray(field['enum'])) {
    const words = field['enum'].map((word) => JSON.stringify(word))
    return [...words, ...(field['x-open'] === true ? ['others later'] : [])].join(', ')
  }
  const types = Array.isArray(field['type']) ? field['type'] : [field['type'] ?? 'anything']
  const bounds = [
    boundText(field, 'minLength', 'maxLength', 'characters'),
    boundText(field, 'minItems', 'maxItems', 'elements'),
    boundText(field, 'minimum', 'maximum', ''),
    typeof field['format'] === 'string' ? field['format'] : '',
  ].filter((text) => text !== '')
  return [types.map(String).join(' or '), ...bounds].join(', ')
}

function boundText(field: SchemaObject, low: string, high: string, unit: string): string {
  const [least, most] = [field[low], field[high]]
  const suffix = unit === '' ? '' : ` ${unit}`
  if (typeof least === 'number' && typeof most === 'number') return `${least} to ${most}${suffix}`
  if (typeof most === 'number') return `at most ${most}${suffix}`
  return typeof least === 'number' ? `at least ${least}${suffix}` : ''
}
