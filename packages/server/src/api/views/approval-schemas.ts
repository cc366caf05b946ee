import { z } from '@hono/zod-openapi'
import { APPROVAL_STATES, MODES, type ApprovalDecided, type ApprovalView } from '@runbell/sdk/contract'

const time = z.string().openapi({ format: 'date-time' })
const count = z.int()

const eventSchema = z
  .object({
    event_id: z.string(),
    type: z.string(),
    recorded_at: time,
    data: z.unknown().openapi({ description: 'As far as the key may see it; null: its payload is gone.' }),
    deliveries: z
      .object({
        ...{ total: count, delivered: count, pending: count, dead_lettered: count, cancelled: count, expired: count },
      })
      .openapi({ description: 'Of a request: whether anybody was told of it.' }),
  })
  .openapi('ApprovalEvent')

export const approvalSchema = z
  .object({
    approval_id: z.string(),
    run_id: z.string(),
    tenant_id: z.string(),
    mode: z.enum(MODES),
    status: z.enum(APPROVAL_STATES).openapi({ description: 'Take what you do not know for pending.' }),
    overdue: z.boolean().openapi({
      description: 'Pending, its time is over, and nobody is going to say so: its tenant decides elsewhere.',
    }),
    decidable: z.boolean().openapi({ description: 'It can be decided through Runbell now.' }),
    created_at: time,
    expires_at: time.nullable(),
    ended_at: time.nullable(),
    decided_by: z.unknown().openapi({ description: 'Of the decision, as far as the key may see it.' }),
    decided_at: time.nullable(),
    reason: z.string().nullable(),
    input_binding: z.string().nullable().openapi({ description: 'What was approved; the request has its own.' }),
    request: eventSchema.nullable(),
    end: eventSchema.nullable(),
  })
  .openapi('Approval') satisfies z.ZodType<ApprovalView>

export const approvalDecidedSchema = z
  .object({
    approval_id: z.string(),
    run_id: z.string(),
    tenant_id: z.string(),
    status: z.enum(APPROVAL_STATES),
    decided_at: time,
    event_id: z.string(),
    sequence: count.nullable(),
    deliveries: count,
  })
  .openapi('ApprovalDecided') satisfies z.ZodType<ApprovalDecided>
