import type { ApprovalDetail, ApprovalFilter } from '../approvals.ts'
import type { CursorPage } from '../rows.ts'
import type { Store } from '../store.ts'
import { isWithin, pageOf } from './reading.ts'
import { MemoryRuns } from './runs.ts'
import type { ApprovalRecord, RunRecord } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** Approvals, as readers see them. */
export class MemoryApprovals extends MemoryRuns {
  listApprovals(input: Input<'listApprovals'>): Promise<CursorPage<ApprovalDetail>> {
    return this.verb('listApprovals', input, ({ scope, filter, page }) => {
      const found = this.#all().filter((row) => this.sees(scope, row) && matches(filter, row))
      return pageOf(found, page, (row) => row)
    })
  }

  findApprovals(input: Input<'findApprovals'>): Promise<ApprovalDetail[]> {
    return this.verb('findApprovals', input, ({ scope, approvalId, runId }) =>
      this.#all()
        .filter((row) => this.sees(scope, row) && row.approvalId === approvalId)
        .filter((row) => runId === null || row.runId === runId)
        .slice(0, 2),
    )
  }

  findEndedApprovals(input: Input<'findEndedApprovals'>): Promise<number[]> {
    return this.verb('findEndedApprovals', input, ({ positions }) => {
      const pending = new Set(this.#all().flatMap(({ status, position }) => (status === 'pending' ? position : [])))
      return positions.filter((position) => !pending.has(position))
    })
  }

  findOverdueApprovals(input: Input<'findOverdueApprovals'>): Promise<ApprovalDetail[]> {
    return this.verb('findOverdueApprovals', input, ({ now, limit }) =>
      this.#all()
        .filter(({ status, decideBy, decidesSince }) => {
          return (
            status === 'pending' &&
            decideBy !== null &&
            decideBy <= now &&
            decidesSince !== null &&
            decideBy > decidesSince
          )
        })
        .slice(0, limit),
    )
  }

  #all(): ApprovalDetail[] {
    const found = [...this.partitions].flatMap(([key, { runs }]) => {
      const [tenantId, mode] = JSON.parse(key) as [string, ApprovalDetail['mode']]
      return [...runs].flatMap(([runId, run]) =>
        [...run.approvals].map(([approvalId, record]) =>
          this.#detail({ mode, tenantId, runId, approvalId }, run, record),
        ),
      )
    })
    return found.toSorted((a, b) => a.position - b.position)
  }

  #detail(
    key: Pick<ApprovalDetail, 'mode' | 'tenantId' | 'runId' | 'approvalId'>,
    run: RunRecord,
    { requestedAt, endedBy, ...record }: ApprovalRecord,
  ): ApprovalDetail {
    const events = [...this.partition(key.tenantId, key.mode).events.values()]
    const at = (sequence: number | null) => {
      const event = events.find((one) => one.runId === key.runId && sequence !== null && one.sequence === sequence)
      return event === undefined ? null : this.eventRow(event)
    }
    return {
      ...key,
      ...record,
      runAgentId: run.agentId,
      runHasEnded: run.state.endedBy !== null,
      decidesSince: this.tenants.get(`${key.mode} ${key.tenantId}`)?.decidesSince ?? null,
      request: at(requestedAt),
      end: at(endedBy),
    }
  }
}

function matches({ statuses, runId, ...range }: ApprovalFilter, row: ApprovalDetail): boolean {
  if (statuses.length > 0 && !statuses.includes(row.status)) return false
  if (runId !== null && row.runId !== runId) return false
  return isWithin(range, row.createdAt)
}
