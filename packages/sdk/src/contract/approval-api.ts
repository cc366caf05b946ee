import type { DeliveryCounts } from './api.ts'
import type { ApprovalState, Mode } from './vocabulary.ts'

/** Shapes of the HTTP API about approvals. Fields may be added, never renamed. Times are RFC 3339. */

/** What an event says of an approval. */
export interface ApprovalEventView {
  event_id: string
  type: string
  recorded_at: string
  /** As far as the key may see it; `null`: its payload is gone. */
  data: unknown
  deliveries: DeliveryCounts
}

export interface ApprovalView {
  approval_id: string
  run_id: string
  tenant_id: string
  mode: Mode
  status: ApprovalState
  /** It is pending, its time is over, and nobody is going to say so: its tenant decides elsewhere. */
  overdue: boolean
  /** It can be decided through Runbell now. */
  decidable: boolean
  /** When its first event was recorded. */
  created_at: string
  /** Until when it can be decided; `null`: for ever. */
  expires_at: string | null
  /** When the event was recorded that ended it. */
  ended_at: string | null
  /** Of the decision, as far as the key may see it; `null`: there is none, or it does not say. */
  decided_by: unknown
  decided_at: string | null
  reason: string | null
  input_binding: string | null
  /** `null`: its request has not come, or is kept no longer. */
  request: ApprovalEventView | null
  /** The event that ended it. */
  end: ApprovalEventView | null
}

/** `200` of `POST /v1/approvals/{id}/decision`. */
export interface ApprovalDecided {
  approval_id: string
  run_id: string
  tenant_id: string
  status: ApprovalState
  decided_at: string
  /** The event that says so, which is delivered like any other. */
  event_id: string
  sequence: number | null
  deliveries: number
}
