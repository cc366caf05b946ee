import { z } from '@hono/zod-openapi'
import type { FilterCheck } from '@runbell/sdk/contract'
import { warningSchema } from './schemas.ts'

const conditionSchema = z.object({
  path: z.string().openapi({ description: 'JSON Pointer to the condition in the filter.' }),
  field: z.string().openapi({ description: 'JSON Pointer to the field in the event.' }),
  holds: z.boolean().openapi({ description: 'Of this condition alone, whatever `not` it stands in.' }),
  found: z.enum(['value', 'list_or_object', 'absent']).openapi({
    description: 'absent: it is not there, or not public in the version in which the event was published.',
  }),
  value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
})

export const filterCheckSchema = z
  .object({
    endpoint_id: z.string(),
    filter: z.unknown(),
    warnings: z.array(warningSchema),
    events: z.object({
      looked_at: z.int().openapi({ description: 'The latest events of the endpoint’s types, at most 200.' }),
      matched: z.int(),
      payload_gone: z.int().openapi({ description: 'Their payload is gone: they are in neither number.' }),
      since: z.string().nullable().openapi({ format: 'date-time' }),
    }),
    examples: z.object({ matched: z.array(z.string()), not_matched: z.array(z.string()) }),
    event: z
      .object({
        event_id: z.string(),
        type: z.string(),
        subscribed: z.boolean(),
        matched: z.boolean(),
        conditions: z.array(conditionSchema),
      })
      .nullable(),
  })
  .openapi('FilterCheck') satisfies z.ZodType<FilterCheck>
