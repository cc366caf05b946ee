import { z } from '@hono/zod-openapi'
import { APPROVAL_DECISIONS, APPROVAL_STATES, PRODUCER_ID_PATTERN } from '@runbell/sdk/contract'
import { decide } from '../approvals/decide.ts'
import { approvalQuery, findApproval, noteApprovals, renderApproval, showApproval } from '../approvals/find-approval.ts'
import { isOverdue } from '../approvals/approval-state.ts'
import { jsonAnswer } from '../http/answer.ts'
import { pageQuery, rfc3339, toMs } from '../read/filters.ts'
import { scopeOf } from '../read/find.ts'
import { fillPage, pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { approvalDecidedSchema, approvalSchema } from '../views/approval-schemas.ts'
import { pageOf } from '../views/schemas.ts'

/** Seconds a request waits at most: below what proxies let a connection be idle, which is 60 often. */
const MAX_WAIT = 55
const DEFAULT_WAIT = 30

const listApprovals = defineRoute({
  method: 'get',
  path: '/v1/approvals',
  operationId: 'listApprovals',
  summary: 'Lists approvals, newest first',
  scopes: ['read'],
  query: z.strictObject({
    ...pageQuery,
    status: z.array(z.enum(APPROVAL_STATES)).max(APPROVAL_STATES.length).default([]),
    run_id: z.string().regex(PRODUCER_ID_PATTERN).optional(),
    since: rfc3339.optional(),
    until: rfc3339.optional(),
  }),
  answers: { 200: { description: 'A page of approvals', schema: pageOf(approvalSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const { query, cursors, context } = call
    const scope = scopeOf(call)
    const { status: statuses, run_id: runId = null } = query
    const filter = { statuses, runId, since: toMs(query.since), until: toMs(query.until) }
    const list = { route: 'approvals', filter: [scope, filter] }
    const asked = pageRequest(cursors, list, query)
    const rows = await fillPage(context.clock, asked, (page) => context.store.listApprovals({ scope, filter, page }))
    await noteApprovals(call, rows.rows)
    return pageAnswer(cursors, list, rows, (approval) => renderApproval(call, approval))
  },
})

const getApproval = defineRoute({
  method: 'get',
  path: '/v1/approvals/{approval_id}',
  operationId: 'getApproval',
  summary: 'Shows an approval: what is asked, what became of it, and whether anybody was told',
  scopes: ['read'],
  query: z.strictObject(approvalQuery),
  answers: { 200: { description: 'The approval', schema: approvalSchema } },
  problems: ['not_found', 'ambiguous_id'],
  handle: async (call) => await showApproval(call, await findApproval(call)),
})

const waitForApproval = defineRoute({
  method: 'get',
  path: '/v1/approvals/{approval_id}/wait',
  operationId: 'waitForApproval',
  summary: 'Answers as soon as an approval is decided, or with how it stands when the time is over',
  scopes: ['read'],
  query: z.strictObject({
    ...approvalQuery,
    timeout: z
      .number()
      .min(0)
      .max(3600)
      .default(DEFAULT_WAIT)
      .openapi({
        description: `Seconds; no request waits longer than ${MAX_WAIT}. A decision made on another node is seen within two seconds.`,
      }),
  }),
  answers: { 200: { description: 'The approval as it stands now', schema: approvalSchema } },
  problems: ['not_found', 'ambiguous_id'],
  async handle(call) {
    const { context, now, signal } = call
    const approval = await findApproval(call)
    const until = now + Math.min(call.query.timeout, MAX_WAIT) * 1000
    if (approval.status !== 'pending' || isOverdue(approval, now) || call.query.timeout === 0) {
      return showApproval(call, approval)
    }
    // Where nobody says that the time to decide is over, waiting for it is over then, too.
    const { decideBy, decidesSince } = approval
    const end = decideBy !== null && decidesSince === null ? Math.min(until, decideBy) : until
    await context.approvalWaits.wait(approval.position, end, signal)
    return showApproval(call, await findApproval(call))
  },
})

const actor = z
  .strictObject({
    type: z.enum(['user', 'group', 'role', 'agent', 'policy', 'system']),
    id: z.string().min(1).max(255).optional(),
    display: z.string().min(1).max(255).optional(),
  })
  .openapi('Actor')

const decideApproval = defineRoute({
  method: 'post',
  path: '/v1/approvals/{approval_id}/decision',
  operationId: 'decideApproval',
  summary: 'Decides an approval, once, where its tenant has approvals decided through Runbell',
  scopes: ['decide'],
  query: z.strictObject(approvalQuery),
  body: z
    .strictObject({
      decision: z.enum(APPROVAL_DECISIONS),
      reason: z.string().min(1).max(500).optional().openapi({
        description: 'In the words of whoever decides. Of a cancellation it always travels: at most 280 characters.',
      }),
      input_binding: z.string().max(100).optional().openapi({
        description: 'Of the request that was looked at: what is approved is what was seen.',
      }),
      decided_by: actor.optional().openapi({ description: 'Who decides, as far as the holder of the key knows.' }),
    })
    .openapi('ApprovalDecisionInput'),
  answers: { 200: { description: 'It is decided, and an event says so', schema: approvalDecidedSchema } },
  problems: [
    ...(['not_found', 'ambiguous_id', 'approval_already_decided', 'state_conflict'] as const),
    ...(['run_already_ended', 'payload_expired', 'storage_full'] as const),
  ],
  async handle(call) {
    const { decision, reason = null, input_binding: inputBinding = null, decided_by: by } = call.body
    const decidedBy = by === undefined ? null : withoutUndefined(by)
    return jsonAnswer(200, await decide(call, await findApproval(call), { decision, reason, inputBinding, decidedBy }))
  },
})

function withoutUndefined(value: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(value).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])))
}

export const APPROVAL_ROUTES: readonly Route[] = [listApprovals, getApproval, waitForApproval, decideApproval]
