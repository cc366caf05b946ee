import { z } from '@hono/zod-openapi'
import {
  ATTEMPT_OUTCOMES,
  MODES,
  type BulkReplayFilter,
  type BulkReplayView,
  type ReplayPreview,
} from '@runbell/sdk/contract'
import type { AskedReplay, BulkReplayRow } from '../../store/bulk-replays.ts'
import { ENDED_STATUSES } from '../../store/surveys.ts'
import type { ReplaySurvey } from '../replays/survey-replay.ts'
import { optionalTimeView, timeView } from './time.ts'

const count = z.int()
const time = z.string().openapi({ format: 'date-time' })

const matched = {
  matched: count.openapi({ description: 'Skipped ones included.' }),
  by_endpoint: z.array(z.object({ endpoint_id: z.string(), count })),
  by_type: z.array(z.object({ type: z.string(), count })),
}
const skipped = z.object({
  endpoint_deleted: count,
  payload_gone: count,
  policy_changed: count,
  already_there: count,
  changed: count.openapi({
    description: 'Changed since it was matched: replayed or discarded by somebody, or not kept any more.',
  }),
})

export const replayPreviewSchema = z
  .object({ dry_run: z.literal(true), ...matched, replayable: count, skipped })
  .openapi('ReplayPreview') satisfies z.ZodType<ReplayPreview>

export const bulkReplaySchema = z
  .object({
    id: z.string(),
    mode: z.enum(MODES),
    tenant_id: z.string().nullable(),
    status: z.enum(['running', 'completed', 'cancelled']),
    filter: z.object({
      endpoint_id: z.string().optional(),
      tenant_id: z.string().optional(),
      type: z.array(z.string()).optional(),
      status: z.array(z.enum(ENDED_STATUSES)).optional(),
      error_code: z.enum(ATTEMPT_OUTCOMES).optional(),
      run_id: z.string().optional(),
      since: time.optional(),
      until: time.optional(),
    }),
    to_endpoint_id: z.string().nullable(),
    rate_per_second: count,
    ...matched,
    replayed: count,
    skipped,
    outcomes: z.object({
      pending: count,
      delivered: count,
      dead_lettered: count,
      cancelled: count,
      expired: count,
      removed: count,
    }),
    created_at: time,
    updated_at: time,
    ended_at: time.nullable(),
  })
  .openapi('BulkReplay')

export function replayPreview({ matched: all, matchedBy, skipped: skips }: ReplaySurvey): ReplayPreview {
  const replayable = all - sumOf(skips)
  return { dry_run: true, ...matchedView(all, matchedBy), replayable, skipped: { ...skips, changed: 0 } }
}

export function bulkReplayView(row: BulkReplayRow): BulkReplayView {
  const { asked, counts, status } = row
  const done = counts.replayed + sumOf(counts.skipped)
  return {
    id: row.id,
    mode: row.mode,
    tenant_id: row.tenantId,
    status,
    filter: filterView(asked, row.tenantId),
    to_endpoint_id: asked.toEndpointId,
    rate_per_second: asked.ratePerSecond,
    ...matchedView(asked.matched, asked.matchedBy),
    replayed: counts.replayed,
    skipped: { ...counts.skipped, changed: status === 'completed' ? Math.max(0, asked.matched - done) : 0 },
    outcomes: { pending: counts.replayed - sumOf(counts.outcomes), ...counts.outcomes },
    created_at: timeView(row.createdAt),
    updated_at: timeView(row.updatedAt),
    ended_at: optionalTimeView(row.endedAt),
  }
}

export function filterView({ filter, toEndpointId }: AskedReplay, tenantId: string | null): BulkReplayFilter {
  return {
    ...(filter.endpointId === null ? {} : { endpoint_id: filter.endpointId }),
    ...(tenantId === null ? {} : { tenant_id: tenantId }),
    ...(filter.types.length === 0 ? {} : { type: filter.types }),
    ...(toEndpointId === null ? { status: filter.statuses } : {}),
    ...(filter.errorCode === null ? {} : { error_code: filter.errorCode }),
    ...(filter.runId === null ? {} : { run_id: filter.runId }),
    ...(filter.since === null ? {} : { since: timeView(filter.since) }),
    ...(filter.until === null ? {} : { until: timeView(filter.until) }),
  }
}

function matchedView(all: number, { endpoints, types }: AskedReplay['matchedBy']) {
  return {
    matched: all,
    by_endpoint: endpoints.map(([endpoint_id, number]) => ({ endpoint_id, count: number })),
    by_type: types.map(([type, number]) => ({ type, count: number })),
  }
}

function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0)
}
