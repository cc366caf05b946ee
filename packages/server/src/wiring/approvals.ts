import { ApprovalWaits } from '../api/approvals/approval-waits.ts'
import type { ApiContext } from '../api/context.ts'
import { createFingerprint } from '../api/publish/fingerprint.ts'
import { createService, type Service } from '../delivery/service.ts'
import { ApprovalExpiry } from '../maintenance/approval-expiry.ts'

/** How often to look for approvals whose time is over. */
const EXPIRY_MS = 1000

export function createApprovalWaits({ store, clock, log }: Pick<ApiContext, 'store' | 'clock' | 'log'>): ApprovalWaits {
  return new ApprovalWaits({ store, clock, onError: (error) => log.error({ err: error }, 'approvals.trouble') })
}

/** Ends approvals that nobody has decided in time. */
export function createApprovalExpiry(context: ApiContext): Service {
  const { store, acceptor, clock, catalogs, log } = context
  const expiry = new ApprovalExpiry({
    ...{ store, acceptor, clock, fingerprint: createFingerprint(context.secrets.fingerprint) },
    catalog: catalogs.of,
    publicUrl: () => context.publicUrl,
    onRefused: ({ tenantId, approvalId }, detail) =>
      log.error({ tenantId, approvalId, detail }, 'approval.not_expired'),
  })
  return createService({
    clock,
    intervalMs: EXPIRY_MS,
    async runOnce() {
      const counts = await expiry.runOnce()
      if (counts.expired === 0) return
      log.info(counts, 'approvals.expired')
      context.approvalWaits.poke()
    },
    onError: (error) => log.error({ err: error }, 'approvals.trouble'),
  })
}
