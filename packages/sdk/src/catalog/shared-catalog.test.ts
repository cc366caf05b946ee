import { describe, expect, it } from 'vitest'
import { checkSchema, isObject } from '../../test/check-schema.ts'
import { sharedCatalog } from '../../test/shared-catalog.ts'
import {
  BUILT_IN_TYPES,
  ERROR_CODES,
  RUN_STATUSES,
  TERMINAL_RUN_STATUSES,
  type EventType,
  type JsonSchema,
} from './index.ts'

const shared = sharedCatalog()

describe.skipIf(shared === null)('the shared catalog', () => {
  const { catalog, examples } = shared ?? { catalog: { types: {} } as never, examples: [] }

  it('names the same types, statuses and error codes', () => {
    expect([...BUILT_IN_TYPES.keys()].sort()).toEqual(Object.keys(catalog.types).sort())
    expect(ERROR_CODES).toEqual(catalog.error_codes)
    expect(RUN_STATUSES).toEqual(catalog.run_statuses)
    expect(TERMINAL_RUN_STATUSES).toEqual(catalog.terminal_run_statuses)
  })

  it.each(Object.keys(catalog.types))('says the same of %s', (type) => {
    const said = catalog.types[type]
    const { fact, runScoped } = BUILT_IN_TYPES.get(type) as EventType
    expect({ fact, runScoped }).toEqual({ fact: said?.fact, runScoped: said?.run_scoped })
    expect(meaning(schemaOf(type))).toEqual(meaning(said?.data))
  })

  it('has the same shared definitions', () => {
    const own = Object.fromEntries(
      [...BUILT_IN_TYPES.keys()].flatMap((type) => Object.entries(schemaOf(type).$defs ?? {})),
    )
    expect(meaning(own)).toEqual(meaning(catalog.defs))
  })

  it('has 16 example events, and every one is valid', () => {
    expect(examples).toHaveLength(16)
    for (const { type, event_id: id, data } of examples) expect(checkSchema(schemaOf(type), data), id).toEqual([])
  })

  it('has an envelope that every sample and every example fits', () => {
    const samples = [...BUILT_IN_TYPES.values()].flatMap(({ samples: { live, test } }) => [live, test])
    for (const event of [...samples, ...examples]) {
      const { required, required_when_run_scoped: inRun, required_otherwise: otherwise } = catalog.envelope
      const joins = BUILT_IN_TYPES.get(event.type)?.runScoped === true ? inRun : otherwise
      const schema = { ...catalog.envelope, required: [...required, ...joins], $defs: catalog.defs }
      const { properties, $defs } = schema
      const envelope = { properties, $defs, required: schema.required }
      expect(checkSchema(envelope, event), event.event_id).toEqual([])
      expect(Object.keys(event).filter((key) => key !== 'data' && !(key in properties))).toEqual([])
    }
  })
})

function schemaOf(type: string): JsonSchema {
  return BUILT_IN_TYPES.get(type)?.versions[0]?.schema as JsonSchema
}

/** A schema without its documentation, without what is so by default, and with `required` as the set it is. */
function meaning(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(meaning)
  if (!isObject(schema)) return schema
  const kept = Object.entries(schema).filter(([keyword, value]) => {
    if (keyword === 'description' || keyword === 'title') return typeof value !== 'string'
    if (keyword === 'required') return (value as string[]).length > 0
    return keyword !== '$schema' && keyword !== '$defs' && !(keyword === 'additionalProperties' && value === true)
  })
  return Object.fromEntries(
    kept.map(([keyword, value]) => [
      keyword,
      keyword === 'required' ? [...(value as string[])].sort() : meaning(value),
    ]),
  )
}
