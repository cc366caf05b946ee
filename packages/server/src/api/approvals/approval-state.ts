import type { ApprovalDetail } from '../../store/approvals.ts'

type Known = Pick<ApprovalDetail, 'status' | 'decideBy' | 'decidesSince' | 'runHasEnded'>

/** Whether the service ends it by itself when its time is over (details 23). */
function expiresHere({ decideBy, decidesSince }: Known): boolean {
  return decidesSince !== null && decideBy !== null && decideBy > decidesSince
}

/** Pending beyond its time, and nobody is going to say so. */
export function isOverdue(approval: Known, now: number): boolean {
  const { status, decideBy } = approval
  return status === 'pending' && decideBy !== null && decideBy <= now && !expiresHere(approval)
}

/** Whether it can be approved or denied through Runbell now. */
export function isDecidable({ status, decideBy, decidesSince, runHasEnded }: Known, now: number): boolean {
  const isInTime = decideBy === null || decideBy > now
  return status === 'pending' && decidesSince !== null && isInTime && !runHasEnded
}
