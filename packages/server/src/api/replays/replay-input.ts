import { z } from '@hono/zod-openapi'
import { ATTEMPT_OUTCOMES, PRODUCER_ID_PATTERN, type ProblemDetail } from '@runbell/sdk/contract'
import { ENDED_STATUSES, type EndedFilter } from '../../store/surveys.ts'
import { invalid } from '../http/problem.ts'
import { anyId, glob, MAX_ENTRIES, PRODUCER_ID, rfc3339, tenantId, toMs } from '../read/filters.ts'

/** Deliveries a second, unless told otherwise: an endpoint that was down is not run over by its own backlog. */
export const DEFAULT_RATE = 500
/** More than a server sends. */
const MAX_RATE = 10_000

const filterSchema = z.strictObject({
  endpoint_id: anyId.optional(),
  tenant_id: tenantId.optional(),
  type: z.array(glob).max(MAX_ENTRIES).optional(),
  status: z.array(z.enum(ENDED_STATUSES)).min(1).max(ENDED_STATUSES.length).optional(),
  error_code: z.enum(ATTEMPT_OUTCOMES).optional(),
  run_id: z.string().regex(PRODUCER_ID_PATTERN, PRODUCER_ID).optional(),
  since: rfc3339.optional(),
  until: rfc3339.optional(),
})

export const replayInputSchema = z.strictObject({
  filter: filterSchema.default({}),
  dry_run: z
    .boolean()
    .default(false)
    .openapi({ description: 'Answers with what would be replayed, and changes nothing.' }),
  rate_per_second: z.int().min(1).max(MAX_RATE).default(DEFAULT_RATE).openapi({
    description: 'Deliveries that are made due in a second; how fast they are sent, the endpoint decides.',
  }),
  to_endpoint_id: anyId.optional().openapi({
    description: 'Makes new deliveries for this endpoint, of the events it has subscribed to and has not had.',
  }),
})

export type ReplayInput = z.output<typeof replayInputSchema>

/** @throws Refused `invalid_request` where the fields do not go together */
export function readFilter({ filter, to_endpoint_id: toEndpointId }: ReplayInput): EndedFilter {
  const errors: ProblemDetail[] = []
  const [since, until] = [toMs(filter.since), toMs(filter.until)]
  if (since !== null && until !== null && until <= since) {
    errors.push({ path: '/filter/until', message: 'must be later than since' })
  }
  if (toEndpointId !== undefined) {
    for (const name of ['endpoint_id', 'status', 'error_code'] as const) {
      if (filter[name] === undefined) continue
      errors.push({ path: `/filter/${name}`, message: 'is about deliveries, and to_endpoint_id replays events' })
    }
  }
  if (errors.length > 0) throw invalid(errors)
  return {
    statuses: filter.status ?? ['dead_lettered'],
    endpointId: filter.endpoint_id ?? null,
    runId: filter.run_id ?? null,
    types: filter.type ?? [],
    errorCode: filter.error_code ?? null,
    since,
    until,
    changedUntil: null,
  }
}
