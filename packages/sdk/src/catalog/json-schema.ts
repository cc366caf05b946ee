import type { DataClass } from '../contract/vocabulary.ts'

/** The part of JSON Schema 2020-12 that the built-in catalog is written in, and the two keywords of our own. */
export interface JsonSchema {
  readonly $schema?: string
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly title?: string
  readonly description?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly const?: string
  readonly enum?: readonly string[]
  readonly format?: 'date-time' | 'uri'
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  /** The class of this value and of everything inside it. */
  readonly 'x-data-class'?: DataClass
  /** The class of the items' unclassified values is the one that this property of the item names. */
  readonly 'x-data-class-from'?: string
}
