import { z } from '@hono/zod-openapi'
import { PRODUCER_ID_PATTERN } from '@runbell/sdk/contract'
import type { ApprovalDetail } from '../../store/approvals.ts'
import { textAnswer, type Answer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { cutForKey } from '../read/cut-for-key.ts'
import { tenantQuery } from '../read/filters.ts'
import { scopeOf, type Finding } from '../read/find.ts'
import { noteViews, type Reader } from '../read/note-views.ts'
import { approvalView, type SeenEvent } from '../views/approval-view.ts'
import type { EventRow } from '../../store/rows.ts'

export const approvalQuery = {
  ...tenantQuery,
  run_id: z.string().regex(PRODUCER_ID_PATTERN).optional().openapi({
    description: 'Needed where two runs have an approval with this id.',
  }),
}

type FindingApproval = Finding & { query: { run_id?: string | undefined } }

/** The approval named in the path. Two runs may have used the same id, and so may two tenants (details 10). @throws Refused */
export async function findApproval(call: FindingApproval): Promise<ApprovalDetail> {
  const approvalId = call.id('approval_id')
  if (!PRODUCER_ID_PATTERN.test(approvalId)) throw notFound()
  const runId = call.query.run_id ?? null
  const [approval, other] = await call.context.store.findApprovals({ scope: scopeOf(call), approvalId, runId })
  if (approval === undefined) throw notFound()
  if (other === undefined) return approval
  const fix = 'Add ?tenant_id= or ?run_id= to say which one.'
  throw refused('ambiguous_id', 'More than one tenant or run has an approval with this id.', fix)
}

/** The approval as the key may see it; the look is put on record. */
export async function showApproval(call: Reader, approval: ApprovalDetail): Promise<Answer> {
  await noteApprovals(call, [approval])
  return textAnswer(200, renderApproval(call, approval))
}

export async function noteApprovals(call: Reader, approvals: readonly ApprovalDetail[]): Promise<void> {
  await noteViews(
    call,
    approvals.flatMap(({ request, end }) => [request, end].filter((row) => row !== null)),
  )
}

export function renderApproval(call: Reader, approval: ApprovalDetail): string {
  const { request, end } = approval
  // The time of the look, not of the request, which may have waited.
  const now = call.context.clock.now()
  return approvalView(approval, { request: seen(call, request), end: seen(call, end), now })
}

function seen({ context, principal }: Reader, row: EventRow | null): SeenEvent | null {
  if (row === null) return null
  return { row, body: row.payloadGone === null ? cutForKey(context, principal, row) : row.body }
}
