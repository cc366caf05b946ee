import { z } from '@hono/zod-openapi'
import { ATTEMPT_OUTCOMES, DELIVERY_STATUSES, PRODUCER_ID_PATTERN } from '@runbell/sdk/contract'
import { globProblem } from '../../core/match.ts'
import { parseTime } from '../../core/rfc3339.ts'
import type { DeliveryFilter, EventFilter } from '../../store/rows.ts'
import { GROUPINGS } from './dead-letter-groups.ts'

/** Entries of a list in a query. */
export const MAX_ENTRIES = 50
export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 200

export const PRODUCER_ID =
  'must have 1 to 128 characters of A-Z a-z 0-9 _ . : / @ = + - and start with a letter or digit'
const TENANT = 'must have 1 to 255 characters, none of them a control character'
const TIME = 'must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z'

/** A string by which something of Runbell's own is found; what is no id is simply not found. */
export const anyId = z.string().min(1).max(100)

export const rfc3339 = z
  .string()
  .refine((text) => parseTime(text) !== null, TIME)
  .openapi({ format: 'date-time' })

/** A type glob: segments, `*` for one, at the end for one or more. */
export const glob = z.string().superRefine((text, refinement) => {
  const message = globProblem(text)
  if (message !== null) refinement.addIssue({ code: 'custom', message })
})

/** A tenant's name, as a published event may have it. */
// oxlint-disable-next-line no-control-regex -- these are the characters to refuse
export const tenantId = z.string().regex(/^[^\u0000-\u001f\u007f-\u009f]{1,255}$/, TENANT)

/** The tenant to look at, for keys that are bound to none. */
export const tenantQuery = { tenant_id: tenantId.optional() }

export const pageQuery = {
  ...tenantQuery,
  limit: z.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  cursor: z.string().min(1).max(100).optional(),
}

const eventFilter = {
  type: z.array(glob).max(MAX_ENTRIES).default([]),
  run_id: z.string().regex(PRODUCER_ID_PATTERN, PRODUCER_ID).optional(),
  since: rfc3339.optional(),
  until: rfc3339.optional(),
}

const deliveryFilter = {
  ...eventFilter,
  endpoint_id: anyId.optional(),
  error_code: z.enum(ATTEMPT_OUTCOMES).optional(),
}

export const tenantQuerySchema = z.strictObject(tenantQuery)
export const pageQuerySchema = z.strictObject(pageQuery)
export const eventQuerySchema = z.strictObject({ ...pageQuery, ...eventFilter })
export const eventExportQuerySchema = z.strictObject({ ...tenantQuery, ...eventFilter })
export const deadLetterQuerySchema = z.strictObject({
  ...pageQuery,
  ...deliveryFilter,
  group_by: z.array(z.enum(GROUPINGS)).max(GROUPINGS.length).optional().openapi({
    description: 'Answers with groups instead, the largest first: how many, the first and the last time, an example.',
  }),
})
export const deadLetterExportQuerySchema = z.strictObject({
  ...tenantQuery,
  ...deliveryFilter,
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
})
export const deliveryQuerySchema = z.strictObject({
  ...pageQuery,
  ...deliveryFilter,
  status: z.array(z.enum(DELIVERY_STATUSES)).max(DELIVERY_STATUSES.length).default([]),
})

type EventQuery = Omit<z.output<typeof eventExportQuerySchema>, 'tenant_id'>
type DeliveryQuery = Omit<z.output<typeof deadLetterExportQuerySchema>, 'tenant_id' | 'format'> & {
  status?: DeliveryFilter['statuses']
}

export function toEventFilter(query: EventQuery): EventFilter {
  return { types: query.type, runId: query.run_id ?? null, since: toMs(query.since), until: toMs(query.until) }
}

export function toDeliveryFilter(query: DeliveryQuery): DeliveryFilter {
  return {
    ...toEventFilter(query),
    eventPosition: null,
    statuses: query.status ?? [],
    endpointId: query.endpoint_id ?? null,
    errorCode: query.error_code ?? null,
    deadLetters: false,
  }
}

export function toMs(time: string | undefined): number | null {
  return time === undefined ? null : parseTime(time)
}
