import { publishOwn, type OwnPublishing } from '../accept/publish-own.ts'
import { expiryEvent, outcomeEventId, outcomeSeed } from '../core/approvals/outcome-event.ts'
import { readStoredRequest } from '../core/approvals/stored-request.ts'
import type { ApprovalDetail } from '../store/approvals.ts'
import type { Store } from '../store/store.ts'

export interface ApprovalExpiryOptions extends OwnPublishing {
  store: Store
  /** An approval whose end cannot be told: it stays pending, and is not tried again by this process. */
  onRefused(approval: { tenantId: string; approvalId: string }, detail: string): void
}

/** Approvals looked at in one step. */
const BATCH = 100
/** Approvals that cannot be expired and are remembered; more of them are only tried again and again. */
const MAX_REFUSED = 1000

/**
 * Ends approvals that nobody has decided in time, where they are decided through Runbell (details 23): `agent.approval.expired`,
 * once, however many nodes are at it and whatever was decided at the same moment. The commit says who was first.
 */
export class ApprovalExpiry {
  readonly #options: ApprovalExpiryOptions
  readonly #refused = new Set<number>()

  constructor(options: ApprovalExpiryOptions) {
    this.#options = options
  }

  /**
   * @returns how many were ended here
   * @throws what went wrong with one of them, when all of its batch are done
   */
  async runOnce(): Promise<{ expired: number }> {
    const { store, clock } = this.#options
    let expired = 0
    for (;;) {
      const limit = BATCH + this.#refused.size
      const found = await store.findOverdueApprovals({ now: clock.now(), limit })
      const due = found.filter(({ position }) => !this.#refused.has(position))
      const results = await Promise.allSettled(due.map((approval) => this.#expire(approval)))
      const failed = results.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
      const done = results.filter((result) => result.status === 'fulfilled' && result.value).length
      expired += done
      if (found.length < limit || done === 0) return { expired }
    }
  }

  /** Whether it was ended here and now. */
  async #expire({ request, decideBy, ...approval }: ApprovalDetail): Promise<boolean> {
    const eventId = outcomeEventId(approval.mode, this.#options.fingerprint(utf8(outcomeSeed(approval))))
    const open = { ...approval, request: readStoredRequest(request?.body ?? null) }
    const bytes = utf8(expiryEvent(open, eventId, decideBy as number))
    const taken = await publishOwn(this.#options, approval.mode, bytes, {})
    if (taken.kind === 'invalid') {
      if (this.#refused.size < MAX_REFUSED) this.#refused.add(approval.position)
      this.#options.onRefused(approval, taken.refusal.detail)
    }
    return taken.kind === 'accepted'
  }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}
