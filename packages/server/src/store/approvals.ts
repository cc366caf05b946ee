import type { ApprovalState, Mode } from '@runbell/sdk/contract'
import type { LifecycleFact } from '../core/catalog/lifecycle-fact.ts'
import type { CursorPage, EventRow, PageRequest, ReadScope } from './rows.ts'

export interface ApprovalFilter {
  /** Empty: any. */
  statuses: ApprovalState[]
  runId: string | null
  /** Its first event was recorded at or after. */
  since: number | null
  /** Its first event was recorded before. */
  until: number | null
}

/** What is kept of an approval as its events are accepted. */
export interface ApprovalRow {
  /** In the order in which approvals had their first event. */
  position: number
  mode: Mode
  tenantId: string
  runId: string
  approvalId: string
  status: ApprovalState
  /** Until when it can be decided, as its request says; `null`: for ever, or its request has not come. */
  decideBy: number | null
  /** When its first event was recorded. */
  createdAt: number
  /** When the event was recorded that ended it. */
  endedAt: number | null
  /** The service ended it, by itself or for somebody who decided through it. */
  endedHere: boolean
}

export interface ApprovalDetail extends ApprovalRow {
  /** The agent of the first event of its run. */
  runAgentId: string | null
  runHasEnded: boolean
  /** Since when its tenant has approvals decided through Runbell; `null`: it has not. */
  decidesSince: number | null
  /** `null`: it has not come, or is kept no longer. */
  request: EventRow | null
  end: EventRow | null
}

export interface ApprovalVerbs {
  /** Newest first. */
  listApprovals(input: {
    scope: ReadScope
    filter: ApprovalFilter
    page: PageRequest
  }): Promise<CursorPage<ApprovalDetail>>
  /** At most two: two only if two tenants of the scope, or two runs, have one with this id. `runId` `null`: of any run. */
  findApprovals(input: { scope: ReadScope; approvalId: string; runId: string | null }): Promise<ApprovalDetail[]>
  /** Of these approvals, those that have ended. */
  findEndedApprovals(input: { positions: number[] }): Promise<number[]>
  /**
   * Pending approvals whose time to decide was over at `now`, and not before their tenants had approvals decided through Runbell;
   * those of other tenants never.
   */
  findOverdueApprovals(input: { now: number; limit: number }): Promise<ApprovalDetail[]>
}

/** What an event says of an approval that is kept: its request, or its first end. */
export interface ApprovalStep {
  id: string
  status: ApprovalState
  decideBy: number | null
  byService: boolean
}

/** Of an event that the lifecycle has taken as its approval's request or first end; `null`: it is about none. */
export function approvalStep({ type, child, decideBy, byService }: LifecycleFact): ApprovalStep | null {
  if (child?.kind !== 'approval') return null
  const name = type.slice('agent.approval.'.length)
  return { id: child.id, status: STATUSES[name] ?? 'pending', decideBy, byService }
}

const STATUSES: Readonly<Record<string, ApprovalState>> = {
  approved: 'approved',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
}
