import type { ApprovalState, Mode } from '@runbell/sdk/contract'
import type { LifecycleFact } from '../../../core/catalog/lifecycle-fact.ts'
import { approvalStep } from '../../approvals.ts'
import { modes } from '../../codes.ts'
import type { Session } from '../session.ts'

interface Approval {
  id: string
  status: ApprovalState
  decideBy: number | null
  requestedAt: number | null
  endedBy: number | null
  createdAt: number
  endedAt: number | null
  endedHere: boolean
}

/** What the events of a batch have said of the approvals of a run. */
export class ChangedApprovals {
  readonly #byId = new Map<string, Approval>()

  /** Keeps a request, or the first end, which may come without one. */
  keep(fact: LifecycleFact, { sequence, recordedAt }: { sequence: number; recordedAt: number }): void {
    const step = approvalStep(fact)
    if (step === null) return
    const { id, status, decideBy, byService: endedHere } = step
    const none = { decideBy: null, requestedAt: null, endedBy: null, endedAt: null, endedHere: false }
    const before = this.#byId.get(id) ?? { id, createdAt: recordedAt, ...none }
    const said =
      status === 'pending' ? { decideBy, requestedAt: sequence } : { endedBy: sequence, endedAt: recordedAt, endedHere }
    this.#byId.set(id, { ...before, ...said, status })
  }

  values(): Approval[] {
    return [...this.#byId.values()]
  }
}

interface OfRun {
  ref: number
  mode: Mode
  tenantId: string
  approvals: ChangedApprovals
}

/** Writes what has changed, in one statement that nothing waits for; none where the batch is about no approval. */
export function writeApprovals(db: Session, runs: readonly OfRun[]): Promise<unknown>[] {
  const changed = runs.flatMap(({ ref, mode, tenantId, approvals }) =>
    approvals.values().map((approval) => ({ run: ref, mode: modes.encode(mode), tenantId, ...approval })),
  )
  if (changed.length === 0) return []
  const statement = db.run(
    `INSERT INTO approvals (run, mode, tenant_id, id, status, decide_by, requested_at, ended_by, created_at, ended_at, ended_here)
     SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::integer[],
       $8::integer[], $9::bigint[], $10::bigint[], $11::boolean[])
     ON CONFLICT (run, id) DO UPDATE SET status = excluded.status, ended_by = excluded.ended_by, ended_at = excluded.ended_at,
       ended_here = excluded.ended_here`,
    changed.map(({ run }) => run),
    changed.map(({ mode }) => mode),
    changed.map(({ tenantId }) => tenantId),
    changed.map(({ id }) => id),
    changed.map(({ status }) => status),
    changed.map(({ decideBy }) => decideBy),
    changed.map(({ requestedAt }) => requestedAt),
    changed.map(({ endedBy }) => endedBy),
    changed.map(({ createdAt }) => createdAt),
    changed.map(({ endedAt }) => endedAt),
    changed.map(({ endedHere }) => endedHere),
  )
  return [statement]
}
