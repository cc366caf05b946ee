import type { Mode, Warning } from '@runbell/sdk/contract'
import {
  CHILD_PHASES,
  NEW_RUN,
  RUN_PHASES,
  type ChildPhase,
  type LifecycleFact,
  type RunState,
} from '../../../core/catalog/lifecycle-fact.ts'
import { followLifecycle } from '../../../core/catalog/lifecycle.ts'
import { followProgress, NO_PROGRESS, type RunProgress } from '../../../core/runs/run-progress.ts'
import { modes } from '../../codes.ts'
import { ChangedApprovals, writeApprovals } from './write-approvals.ts'
import type { AcceptItem, AcceptResult } from '../../accept.ts'
import type { Row, Session } from '../session.ts'

/** The event's place in its run; nothing was changed where it is refused. */
export type RunStep =
  | { kind: 'taken'; ref: number | null; sequence: number | null; warnings: Warning[] }
  | Extract<AcceptResult, { kind: 'refused' }>

export const CHILD_KINDS = { tool_call: 0, approval: 1 } as const

interface RunKey {
  mode: Mode
  tenantId: string
  runId: string
}

interface Run extends RunKey {
  ref: number
  isNew: boolean
  changed: boolean
  sequence: number
  state: RunState
  progress: RunProgress
  agentId: string | null
  taskId: string | null
  flagged: number
  /** By kind and id. */
  children: Map<string, Child>
  approvals: ChangedApprovals
}

interface Child {
  kind: number
  id: string
  phase: ChildPhase
  changed: boolean
}

/**
 * The runs of a batch, held until the commit. What their events do to them is worked out here, one event after another, and
 * written once.
 */
export class Runs {
  readonly #runs: ReadonlyMap<string, Run>

  constructor(runs: ReadonlyMap<string, Run>) {
    this.#runs = runs
  }

  /** Lifecycle, budget, and the next `sequence`, in this order; the first event of a run makes it (details 1). */
  step(item: AcceptItem, budget: number, recordedAt: number): RunStep {
    if (item.runId === null) return { kind: 'taken', ref: null, sequence: null, warnings: [] }
    const run = this.#runs.get(keyOf({ ...item, runId: item.runId }))
    if (run === undefined) throw new Error('a run of the batch was not read')
    const { lifecycle: fact } = item
    const childKey = fact?.child == null ? null : childKeyOf(fact.child)
    const child = childKey === null ? null : (run.children.get(childKey)?.phase ?? null)
    const step = fact === null ? null : followLifecycle(run.state, child, fact)
    if (step?.kind === 'refused') return step
    // What the service says of an approval is one event for a request that was within the budget.
    if (run.sequence + 1 > budget && fact?.byService !== true) {
      const message = `the run has had ${budget} events, which is its budget`
      return { kind: 'refused', code: 'run_event_budget_exceeded', message }
    }
    run.sequence += 1
    run.changed = true
    const warnings = (step?.warnings ?? []).map((message): Warning => ({ code: 'lifecycle', path: '/type', message }))
    if (warnings.length > 0) run.flagged += 1
    const place = { sequence: run.sequence, recordedAt }
    const after = step?.run ?? run.state
    run.progress = followProgress(run.progress, fact, { before: run.state, after, place })
    run.state = after
    run.agentId ??= run.isNew ? item.agent.id : null
    run.taskId ??= item.taskId
    if (fact !== null && step !== null && step.child !== null) {
      keepChild(run, fact, step.child)
      run.approvals.keep(fact, place)
    }
    return { kind: 'taken', ref: run.ref, sequence: run.sequence, warnings }
  }

  /** Writes what has changed; statements that nothing waits for. */
  write(db: Session, now: number): Promise<unknown>[] {
    // In one order for everybody: two that make the same runs would wait for each other.
    const changed = [...this.#runs.values()].filter((run) => run.changed).toSorted(byKey)
    return [
      ...insertRuns(
        db,
        changed.filter(({ isNew }) => isNew),
        now,
      ),
      ...updateRuns(
        db,
        changed.filter(({ isNew }) => !isNew),
        now,
      ),
      ...writeChildren(db, changed),
      ...writeApprovals(db, changed),
    ]
  }
}

function keepChild(run: Run, fact: LifecycleFact, phase: ChildPhase): void {
  if (fact.child === null) return
  const { kind, id } = fact.child
  run.children.set(childKeyOf(fact.child), { kind: CHILD_KINDS[kind], id, phase, changed: true })
}

function byKey(a: RunKey, b: RunKey): number {
  const [left, right] = [keyOf(a), keyOf(b)]
  return left === right ? 0 : left < right ? -1 : 1
}

function keyOf({ mode, tenantId, runId }: RunKey): string {
  return JSON.stringify([mode, tenantId, runId])
}

function childKeyOf({ kind, id }: NonNullable<LifecycleFact['child']>): string {
  return `${CHILD_KINDS[kind]} ${id}`
}

/**
 * Reads the runs of the items and holds them, in one order for everybody. A run that is not there is made by its first event; where
 * two transactions make the same, the second one runs again.
 */
export async function holdRuns(db: Session, items: readonly AcceptItem[]): Promise<Runs> {
  const keys = new Map<string, RunKey>()
  for (const { mode, tenantId, runId } of items) {
    if (runId !== null) keys.set(keyOf({ mode, tenantId, runId }), { mode, tenantId, runId })
  }
  if (keys.size === 0) return new Runs(new Map())
  const list = [...keys.values()]
  const [rows, refs, children] = await Promise.all([
    db.rows(
      `SELECT r.ref, r.mode, r.tenant_id, r.run_id, r.last_sequence, r.phase, r.started, r.ended_by, r.agent_id, r.task_id,
         r.status, r.status_at, r.failure_at, r.ended_at, r.parent_run_id
       FROM unnest($1::smallint[], $2::text[], $3::text[]) AS k (mode, tenant_id, run_id) JOIN runs r USING (mode, tenant_id, run_id)
       ORDER BY r.ref FOR NO KEY UPDATE OF r`,
      list.map(({ mode }) => modes.encode(mode)),
      list.map(({ tenantId }) => tenantId),
      list.map(({ runId }) => runId),
    ),
    db.rows(`SELECT nextval('runs_ref_seq') AS ref FROM generate_series(1, $1)`, list.length),
    readChildren(db, items),
  ])
  const found = new Map<string, Run>()
  for (const row of rows) {
    const key = {
      mode: modes.decode(row['mode']),
      tenantId: row['tenant_id'] as string,
      runId: row['run_id'] as string,
    }
    found.set(keyOf(key), { ...key, ...runFrom(row, children) })
  }
  list.forEach((key, index) => {
    const text = keyOf(key)
    if (!found.has(text)) found.set(text, { ...key, ...newRun(refs[index]?.['ref'] as number) })
  })
  return new Runs(found)
}

function newRun(ref: number): Omit<Run, keyof RunKey> {
  const about = { agentId: null, taskId: null, flagged: 0 }
  return {
    ref,
    isNew: true,
    changed: false,
    sequence: 0,
    state: NEW_RUN,
    progress: NO_PROGRESS,
    ...about,
    children: new Map(),
    approvals: new ChangedApprovals(),
  }
}

function runFrom(row: Row, children: readonly Row[]): Omit<Run, keyof RunKey> {
  const ref = row['ref'] as number
  const own = children.filter((child) => child['run'] === ref)
  return {
    ...{ ref, isNew: false, changed: false, flagged: 0, sequence: row['last_sequence'] as number },
    state: {
      phase: RUN_PHASES[row['phase'] as number] ?? 'none',
      started: row['started'] as boolean,
      endedBy: row['ended_by'] as string | null,
    },
    progress: {
      status: row['status'] as RunProgress['status'],
      statusAt: row['status_at'] as number | null,
      failureAt: row['failure_at'] as number | null,
      endedAt: row['ended_at'] as number | null,
      parentRunId: row['parent_run_id'] as string | null,
    },
    agentId: row['agent_id'] as string | null,
    taskId: row['task_id'] as string | null,
    approvals: new ChangedApprovals(),
    children: new Map(
      own.map((child) => {
        const [kind, id] = [child['kind'] as number, child['id'] as string]
        const phase = CHILD_PHASES[child['phase'] as number] ?? 'open'
        return [`${kind} ${id}`, { kind, id, phase, changed: false }]
      }),
    ),
  }
}

/** The children that the items are about, as they are after their runs are held. */
function readChildren(db: Session, items: readonly AcceptItem[]): Promise<Row[]> {
  const about = items.flatMap(({ mode, tenantId, runId, lifecycle }) => {
    const child = lifecycle?.child ?? null
    return runId === null || child === null ? [] : [{ mode, tenantId, runId, ...child }]
  })
  if (about.length === 0) return Promise.resolve([])
  return db.rows(
    `SELECT DISTINCT c.run, c.kind, c.id, c.phase
     FROM unnest($1::smallint[], $2::text[], $3::text[], $4::smallint[], $5::text[]) AS k (mode, tenant_id, run_id, kind, id)
       JOIN runs r USING (mode, tenant_id, run_id) JOIN run_children c ON c.run = r.ref AND c.kind = k.kind AND c.id = k.id`,
    about.map(({ mode }) => modes.encode(mode)),
    about.map(({ tenantId }) => tenantId),
    about.map(({ runId }) => runId),
    about.map(({ kind }) => CHILD_KINDS[kind]),
    about.map(({ id }) => id),
  )
}

function insertRuns(db: Session, runs: readonly Run[], now: number): Promise<unknown>[] {
  if (runs.length === 0) return []
  const statement = db.run(
    `INSERT INTO runs (ref, mode, tenant_id, run_id, agent_id, last_sequence, phase, started, ended_by, lifecycle_warnings,
       status, status_at, failure_at, ended_at, parent_run_id, task_id, created_at, updated_at)
     SELECT r.*, $17::bigint, $17 FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::integer[],
       $7::smallint[], $8::boolean[], $9::text[], $10::integer[], $11::text[], $12::integer[], $13::integer[], $14::bigint[],
       $15::text[], $16::text[]) AS r`,
    runs.map(({ ref }) => ref),
    runs.map(({ mode }) => modes.encode(mode)),
    runs.map(({ tenantId }) => tenantId),
    runs.map(({ runId }) => runId),
    runs.map(({ agentId }) => agentId),
    ...columnsOf(runs),
    now,
  )
  return [statement]
}

function updateRuns(db: Session, runs: readonly Run[], now: number): Promise<unknown>[] {
  if (runs.length === 0) return []
  const statement = db.run(
    `UPDATE runs SET last_sequence = r.last_sequence, phase = r.phase, started = r.started, ended_by = r.ended_by,
       lifecycle_warnings = runs.lifecycle_warnings + r.flagged, status = r.status, status_at = r.status_at,
       failure_at = r.failure_at, ended_at = r.ended_at, parent_run_id = r.parent_run_id, task_id = r.task_id, updated_at = $13
     FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::boolean[], $5::text[], $6::integer[], $7::text[],
         $8::integer[], $9::integer[], $10::bigint[], $11::text[], $12::text[])
       AS r (ref, last_sequence, phase, started, ended_by, flagged, status, status_at, failure_at, ended_at, parent_run_id, task_id)
     WHERE runs.ref = r.ref`,
    runs.map(({ ref }) => ref),
    ...columnsOf(runs),
    now,
  )
  return [statement]
}

function columnsOf(runs: readonly Run[]) {
  return [
    runs.map(({ sequence }) => sequence),
    runs.map(({ state }) => RUN_PHASES.indexOf(state.phase)),
    runs.map(({ state }) => state.started),
    runs.map(({ state }) => state.endedBy),
    runs.map(({ flagged }) => flagged),
    runs.map(({ progress }) => progress.status),
    runs.map(({ progress }) => progress.statusAt),
    runs.map(({ progress }) => progress.failureAt),
    runs.map(({ progress }) => progress.endedAt),
    runs.map(({ progress }) => progress.parentRunId),
    runs.map(({ taskId }) => taskId),
  ] as const
}

function writeChildren(db: Session, runs: readonly Run[]): Promise<unknown>[] {
  const changed = runs.flatMap(({ ref, children }) =>
    [...children.values()].filter((child) => child.changed).map((child) => ({ run: ref, ...child })),
  )
  if (changed.length === 0) return []
  const statement = db.run(
    `INSERT INTO run_children (run, kind, id, phase)
     SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::smallint[])
     ON CONFLICT (run, kind, id) DO UPDATE SET phase = excluded.phase`,
    changed.map(({ run }) => run),
    changed.map(({ kind }) => kind),
    changed.map(({ id }) => id),
    changed.map(({ phase }) => CHILD_PHASES.indexOf(phase)),
  )
  return [statement]
}
