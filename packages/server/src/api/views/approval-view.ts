import { readPayload } from '../../core/approvals/stored-request.ts'
import type { ApprovalDetail } from '../../store/approvals.ts'
import type { EventRow } from '../../store/rows.ts'
import { isDecidable, isOverdue } from '../approvals/approval-state.ts'
import { optionalTimeView, timeView } from './time.ts'

/** An event's row and what its reader may see of its body; an empty one: its payload is gone. */
export interface SeenEvent {
  row: EventRow
  body: Uint8Array
}

/** An approval as JSON text (`ApprovalView`): payloads stand in it as they were sent. */
export function approvalView(
  approval: ApprovalDetail,
  { request, end, now }: { request: SeenEvent | null; end: SeenEvent | null; now: number },
): string {
  const said = end === null || end.body.length === 0 ? null : readPayload(end.body)
  const decided = (name: string) => said?.member(name) ?? null
  const known = {
    approval_id: approval.approvalId,
    run_id: approval.runId,
    tenant_id: approval.tenantId,
    mode: approval.mode,
    status: approval.status,
    overdue: isOverdue(approval, now),
    decidable: isDecidable(approval, now),
    created_at: timeView(approval.createdAt),
    expires_at: optionalTimeView(approval.decideBy),
    ended_at: optionalTimeView(approval.endedAt),
    decided_by: decided('decided_by'),
    decided_at: decided('decided_at'),
    reason: decided('reason'),
    input_binding: decided('input_binding'),
  }
  return `${JSON.stringify(known).slice(0, -1)},"request":${eventText(request)},"end":${eventText(end)}}`
}

function eventText(seen: SeenEvent | null): string {
  if (seen === null) return 'null'
  const { row, body } = seen
  const about = {
    event_id: row.eventId,
    type: row.type,
    recorded_at: timeView(row.recordedAt),
    deliveries: row.deliveries,
  }
  const data = body.length === 0 ? 'null' : readPayload(body).text
  return `${JSON.stringify(about).slice(0, -1)},"data":${data}}`
}
