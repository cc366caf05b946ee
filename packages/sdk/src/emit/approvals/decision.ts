import type { Actor } from '../../catalog/index.ts'

/**
 * How an approval stands. `overdue`: the deadline has passed and nobody has said so. A status that is not known here counts as
 * `pending`.
 */
export const APPROVAL_STATUSES = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'overdue'] as const
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number]

export interface ApprovalDecision {
  approval_id: string
  /** `pending` where the wait ended before there was a decision. */
  status: ApprovalStatus
  /** The only thing that allows: it was approved, and for the very input that is at hand, as far as that is known. */
  approved: boolean
  decided_by?: Actor
  decided_at?: string
  reason?: string
  input_binding?: string
}

export interface WaitOptions {
  /** Ends the wait with `pending`, in milliseconds. 0 or more. @default no end */
  timeoutMs?: number | undefined
  /** Ends the wait with `pending`. */
  signal?: AbortSignal | undefined
}

/** Reads an approval as the API shows it; `null` where that is none. */
export function readDecision(approvalId: string, value: Record<string, unknown>): ApprovalDecision | null {
  const { status, overdue } = value
  if (typeof status !== 'string') return null
  const known = APPROVAL_STATUSES.find((name) => name === status) ?? 'pending'
  const { decided_by, decided_at, reason, input_binding } = value as Partial<ApprovalDecision>
  const told = { decided_by, decided_at, reason, input_binding }
  return {
    approval_id: approvalId,
    status: known === 'pending' && overdue === true ? 'overdue' : known,
    approved: known === 'approved',
    ...Object.fromEntries(Object.entries(told).filter(([, field]) => field != null)),
  }
}
