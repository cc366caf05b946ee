import type { DataClass } from '../contract/vocabulary.ts'
import { PRODUCER_ID_PATTERN } from '../contract/ids.ts'
import type { JsonSchema } from './json-schema.ts'

/**
 * The small language the catalog is written in: every function makes one field of a schema, and carries the TypeScript
 * type of its values. The first argument is always the data class, the second what the documentation says.
 */

/** `elsewhere`: the class is stated by the object around the field, by what is inside it, or by a field beside it. */
export type FieldClass = Exclude<DataClass, 'credential'> | 'elsewhere'

/** A field of an event's data: its schema, what that refers to, and the type of its values. */
export interface Field<Value = unknown> {
  readonly schema: JsonSchema
  readonly definitions: readonly Definition[]
  /** Never there at run time: it carries the type. */
  readonly value?: Value
}

/** A schema that several types share, under `$defs`. */
export interface Definition<Value = unknown> {
  readonly name: string
  readonly field: Field<Value>
}

export type Fields = Readonly<Record<string, Field>>

/** The fields of an object. Only what is `public` or `summary` may be required, so that every cut body validates. */
export interface RecordFields<Required extends Fields, Optional extends Fields> {
  readonly required?: Required
  readonly optional?: Optional
}

/** The type of what a field holds. */
export type ValueOf<Of> = Of extends Field<infer Value> ? Value : never

type Flat<Of> = { [Key in keyof Of]: Of[Key] }
export type RecordOf<Required extends Fields, Optional extends Fields> = Flat<
  { [Key in keyof Required]: ValueOf<Required[Key]> } & { [Key in keyof Optional]?: ValueOf<Optional[Key]> }
>
/** No fields. */
export type None = { readonly [Name in never]: Field }

/** Lengths are in characters (Unicode code points). */
export function text(
  dataClass: FieldClass,
  about: string,
  bounds: Pick<JsonSchema, 'minLength' | 'maxLength' | 'pattern'> = {},
): Field<string> {
  return field(dataClass, about, { type: 'string', ...bounds })
}

/** The producer's own id of something, as its framework makes it. */
export function producerId(dataClass: FieldClass, about: string): Field<string> {
  return text(dataClass, about, { pattern: PRODUCER_ID_PATTERN.source })
}

export function integer(
  dataClass: FieldClass,
  about: string,
  bounds: Pick<JsonSchema, 'minimum' | 'maximum'>,
): Field<number> {
  return field(dataClass, about, { type: 'integer', ...bounds })
}

export function flag(dataClass: FieldClass, about: string): Field<boolean> {
  return field(dataClass, about, { type: 'boolean' })
}

/** RFC 3339 with a date, a time and an offset. */
export function time(dataClass: FieldClass, about: string): Field<string> {
  return field(dataClass, about, { type: 'string', format: 'date-time' })
}

/** @param pattern what the URL starts with, where not every scheme will do */
export function url(dataClass: FieldClass, about: string, pattern?: string): Field<string> {
  const scheme = pattern === undefined ? {} : { pattern }
  return field(dataClass, about, { type: 'string', format: 'uri', ...scheme, maxLength: 2048 })
}

/** One word out of a closed set: one more word is a new version of the type. */
export function oneOf<const Word extends string>(
  dataClass: FieldClass,
  about: string,
  words: readonly Word[],
): Field<Word> {
  return field(dataClass, about, { enum: words })
}

export function constant<const Word extends string>(dataClass: FieldClass, about: string, word: Word): Field<Word> {
  return field(dataClass, about, { const: word })
}

/** Any JSON value. */
export function anything(dataClass: FieldClass, about: string): Field {
  return field(dataClass, about, {})
}

/** Any JSON object. */
export function anyObject(dataClass: FieldClass, about: string): Field<Record<string, unknown>> {
  return field(dataClass, about, { type: 'object' })
}

/** @param item `null`: any JSON value */
export function list<Item = unknown>(
  dataClass: FieldClass,
  about: string,
  item: Field<Item> | null,
  bounds: Pick<JsonSchema, 'minItems' | 'maxItems' | 'uniqueItems'> = {},
): Field<Item[]> {
  const items = item === null ? {} : { items: item.schema }
  return field(dataClass, about, { type: 'array', ...items, ...bounds }, item?.definitions)
}

/** An object. What it does not name is allowed by the schema, and cut out before anything is delivered. */
export function record<Required extends Fields = None, Optional extends Fields = None>(
  dataClass: FieldClass,
  about: string,
  fields: RecordFields<Required, Optional>,
): Field<RecordOf<Required, Optional>> {
  const { required = {}, optional = {} }: RecordFields<Fields, Fields> = fields
  const all = Object.entries({ ...required, ...optional })
  const schema: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(all.map(([name, { schema: inner }]) => [name, inner])),
    required: Object.keys(required),
    additionalProperties: true,
  }
  const definitions = all.flatMap(([, inner]) => inner.definitions)
  return field(dataClass, about, schema, definitions)
}

/** An object one field of which names the data class of another: what is not granted there is masked, not cut. */
export function selfClassified<Value>(item: Field<Value>, classField: keyof Value & string): Field<Value> {
  return { ...item, schema: { ...item.schema, 'x-data-class-from': classField } }
}

export function define<Value>(name: string, of: Field<Value>): Definition<Value> {
  return { name, field: of }
}

/** A definition, used as a field. Its classes are those inside it. */
export function use<Value>(definition: Definition<Value>, about: string): Field<Value> {
  const { name, field: inner } = definition
  return field('elsewhere', about, { $ref: `#/$defs/${name}` }, [definition, ...inner.definitions])
}

function field<Value>(
  dataClass: FieldClass,
  about: string,
  schema: JsonSchema,
  definitions: readonly Definition[] = [],
): Field<Value> {
  const classified = dataClass === 'elsewhere' ? {} : { 'x-data-class': dataClass }
  return { schema: { description: about, ...schema, ...classified }, definitions }
}
