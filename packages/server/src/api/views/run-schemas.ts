import { z } from '@hono/zod-openapi'
import { MODES, RUN_STATUSES, type RunDetailView, type RunView, type TimelineView } from '@runbell/sdk/contract'

const time = z.string().openapi({ format: 'date-time' })
const count = z.int()
const counts = z.object({
  ...{ total: count, delivered: count, pending: count, dead_lettered: count, cancelled: count, expired: count },
})
const children = z.object({ total: count, open: count.openapi({ description: 'Begun and not ended.' }) })

export const runSchema = z
  .object({
    run_id: z.string(),
    tenant_id: z.string(),
    mode: z.enum(MODES),
    agent_id: z.string().nullable(),
    task_id: z.string().nullable(),
    parent_run_id: z.string().nullable(),
    status: z
      .enum(RUN_STATUSES)
      .nullable()
      .openapi({ description: 'null: no event of agent.run.* has come. Take what you do not know for not final.' }),
    event_count: count.openapi({ description: 'Events accepted so far, also those that are kept no longer.' }),
    lifecycle_warnings: count.openapi({ description: 'Events that broke the order of its lifecycle.' }),
    created_at: time,
    updated_at: time,
    ended_at: time.nullable(),
  })
  .openapi('Run') satisfies z.ZodType<RunView>

export const runDetailSchema = runSchema
  .extend({
    waiting_for: z.string().nullable(),
    last_error: z
      .object({ event_id: z.string(), type: z.string(), recorded_at: time, error: z.unknown() })
      .nullable()
      .openapi({ description: 'The latest of the run or of a tool call, as far as the key may see it.' }),
    tool_calls: children,
    approvals: children,
    deliveries: counts,
    delivery_health: z.enum(['ok', 'pending', 'failing']),
  })
  .openapi('RunDetail') satisfies z.ZodType<RunDetailView>

export const timelineSchema = z
  .object({
    run: runDetailSchema,
    rows: z.array(
      z.object({
        kind: z.enum(['run', 'tool_call', 'approval', 'message', 'event', 'child_run']),
        id: z.string(),
        title: z.string(),
        status: z.string().nullable(),
        started_at: time.nullable(),
        ended_at: time.nullable(),
        missing: z.enum(['start', 'end']).nullable().openapi({ description: 'Which end of it never came.' }),
        events: z.array(
          z.object({
            event_id: z.string(),
            type: z.string(),
            sequence: count,
            timestamp: time.nullable(),
            recorded_at: time,
            status: z.string().nullable(),
            deliveries: counts,
          }),
        ),
      }),
    ),
    gaps: z
      .array(z.object({ from: count, to: count }))
      .openapi({ description: 'Sequences whose events are kept no longer.' }),
    next_cursor: z.string().nullable(),
  })
  .openapi('Timeline') satisfies z.ZodType<TimelineView>
