import type { SchemaObject } from './schema-problem.ts'

/** The types a value may have; `null`: any. */
export function typesOf(schema: SchemaObject): Set<string> | null {
  const { type } = schema
  if (type !== undefined) return new Set((Array.isArray(type) ? type : [type]).map(String))
  const words = wordsOf(schema)
  return words === null ? null : new Set(words.map(typeOfWord))
}

function typeOfWord(word: string): string {
  const value = JSON.parse(word) as unknown
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

/** The closed set of values, as JSON; `null`: not closed. `const` is a set of one. */
export function wordsOf(schema: SchemaObject): string[] | null {
  const words = Array.isArray(schema['enum']) ? schema['enum'].map(canonicalJson) : null
  if (!('const' in schema)) return words
  const only = canonicalJson(schema['const'])
  return words === null || words.includes(only) ? [only] : []
}

/** The same text for the same value, whatever the order of its members. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  const members = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`)
  return `{${members.toSorted().join()}}`
}
