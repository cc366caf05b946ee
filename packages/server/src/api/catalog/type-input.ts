import { z } from '@hono/zod-openapi'
import { parseTime } from '../../core/rfc3339.ts'
import { pageQuery } from '../read/filters.ts'

const TIME = 'must be a time as in RFC 3339, such as 2027-01-31T12:00:00Z'
const MAX_NOTE = 500

const schema = z.record(z.string(), z.unknown()).openapi({
  description: 'JSON Schema 2020-12 of `data`; every leaf has an `x-data-class`. At most 64 KiB.',
})
const examples = z.array(z.record(z.string(), z.unknown())).openapi({
  description: 'Data objects that are valid under the schema; the first is the sample.',
})
const down = z.unknown().openapi({
  description: 'The steps that turn this version into the one before it: rename, move, drop, constant, map.',
})
const number = z.number().int().min(1).max(1_000_000)

const settings = {
  fact: z.string().min(1).max(300),
  enforcement: z.enum(['enforce', 'warn']),
  lifecycle: z.enum(['warn', 'reject']),
}

const oneLine = (text: string) => !/[\p{Cc}\u2028\u2029]/u.test(text)
const fact = settings.fact.refine(oneLine, 'must be one line')

/** The body of `POST /v1/event-types`. */
export const typeInputSchema = z
  .strictObject({
    type: z.string().min(1).max(200),
    fact,
    run_scoped: z.boolean().default(false),
    enforcement: settings.enforcement.default('enforce'),
    lifecycle: settings.lifecycle.default('warn'),
    schema,
    examples,
  })
  .openapi('EventTypeInput')

/** The body of `PATCH /v1/event-types/{type}`. */
export const typePatchSchema = z
  .strictObject({
    fact: fact.optional(),
    enforcement: settings.enforcement.optional(),
    lifecycle: settings.lifecycle.optional(),
  })
  .openapi('EventTypePatch')

/** The body of `POST /v1/event-types/{type}/versions`. */
export const versionInputSchema = z
  .strictObject({ version: number.optional(), schema, down_conversion: down.optional(), examples })
  .openapi('EventTypeVersionInput')

/** The body of `POST /v1/event-types/check`. */
export const checkInputSchema = z
  .strictObject({
    type: z.string().min(1).max(200),
    version: number.optional(),
    schema,
    down_conversion: down.optional(),
    examples: examples.optional(),
  })
  .openapi('EventTypeCheck')

/** The body of `POST /v1/event-types/{type}/deprecate`. */
export const deprecationSchema = z
  .strictObject({
    version: number,
    retires_at: z
      .string()
      .refine((text) => parseTime(text) !== null, TIME)
      .openapi({ format: 'date-time', description: 'From then on the version is refused from producers.' }),
    note: z.string().max(MAX_NOTE).refine(oneLine, 'must be one line').optional(),
  })
  .openapi('EventTypeDeprecation')

export const pinnedQuerySchema = z.strictObject({ ...pageQuery, version: number.optional() })
export const sampleQuerySchema = z.strictObject({ version: number.optional() })

export type TypeInput = z.output<typeof typeInputSchema>
