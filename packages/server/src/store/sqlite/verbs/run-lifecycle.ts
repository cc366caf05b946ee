import type { Warning } from '@runbell/sdk/contract'
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
import type { AcceptItem, AcceptResult } from '../../accept.ts'
import { writeApproval } from './write-approval.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'

/** The event's place in its run; nothing was changed where it is refused. */
export type RunStep =
  | { kind: 'taken'; ref: number | null; sequence: number | null; warnings: Warning[] }
  | Extract<AcceptResult, { kind: 'refused' }>

export const CHILD_KINDS = { tool_call: 0, approval: 1 } as const

/** Lifecycle, budget, and the next `sequence`, in this order; the first event of a run makes it (details 1). */
export function stepRun(db: Database, item: AcceptItem, budget: number, now: number): RunStep {
  if (item.runId === null) return { kind: 'taken', ref: null, sequence: null, warnings: [] }
  const mode = modes.encode(item.mode)
  const row = db
    .prepare(
      `SELECT ref, last_sequence, phase, started, ended_by, status, status_at, failure_at, ended_at, parent_run_id
       FROM runs WHERE mode = ? AND tenant_id = ? AND run_id = ?`,
    )
    .get(mode, item.tenantId, item.runId)
  const run = row === undefined ? NEW_RUN : stateFrom(row)
  const ref = (row?.['ref'] as number | undefined) ?? null
  const fact = item.lifecycle
  const child = fact === null ? null : readChild(db, ref, fact)
  const step = fact === null ? null : followLifecycle(run, child, fact)
  if (step?.kind === 'refused') return step
  const sequence = ((row?.['last_sequence'] as number | undefined) ?? 0) + 1
  // What the service says of an approval is one event for a request that was within the budget.
  if (sequence > budget && fact?.byService !== true) {
    const message = `the run has had ${budget} events, which is its budget`
    return { kind: 'refused', code: 'run_event_budget_exceeded', message }
  }
  const warnings = (step?.warnings ?? []).map((message): Warning => ({ code: 'lifecycle', path: '/type', message }))
  const state = step?.run ?? run
  const place = { sequence, recordedAt: now }
  const before = row === undefined ? NO_PROGRESS : progressFrom(row)
  const progress = followProgress(before, fact, { before: run, after: state, place })
  const kept = { sequence, state, progress, flagged: warnings.length > 0 ? 1 : 0, now }
  const runRef = ref === null ? insertRun(db, mode, item, kept) : updateRun(db, ref, item, kept)
  if (fact !== null && step !== null && step.child !== null) {
    writeChild(db, runRef, fact, step.child)
    writeApproval(db, item, fact, { run: runRef, ...place })
  }
  return { kind: 'taken', ref: runRef, sequence, warnings }
}

interface Kept {
  sequence: number
  state: RunState
  progress: RunProgress
  flagged: number
  now: number
}

function insertRun(db: Database, mode: number, item: AcceptItem, kept: Kept): number {
  const { sequence, state, progress, flagged, now } = kept
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO runs (mode, tenant_id, run_id, agent_id, task_id, last_sequence, phase, started, ended_by, status,
         status_at, failure_at, ended_at, parent_run_id, lifecycle_warnings, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      ...[mode, item.tenantId, item.runId, item.agent.id, item.taskId, sequence],
      ...[...columnsOf(state), ...progressColumns(progress), flagged, now, now],
    )
  return lastInsertRowid as number
}

function updateRun(db: Database, ref: number, { taskId }: AcceptItem, kept: Kept): number {
  const { sequence, state, progress, flagged, now } = kept
  db.prepare(
    `UPDATE runs SET last_sequence = ?, phase = ?, started = ?, ended_by = ?, status = ?, status_at = ?, failure_at = ?,
       ended_at = ?, parent_run_id = ?, task_id = coalesce(task_id, ?), lifecycle_warnings = lifecycle_warnings + ?,
       updated_at = ? WHERE ref = ?`,
  ).run(sequence, ...columnsOf(state), ...progressColumns(progress), taskId, flagged, now, ref)
  return ref
}

function progressColumns({ status, statusAt, failureAt, endedAt, parentRunId }: RunProgress) {
  return [status, statusAt, failureAt, endedAt, parentRunId] as const
}

function progressFrom(row: Row): RunProgress {
  return {
    status: row['status'] as RunProgress['status'],
    statusAt: row['status_at'] as number | null,
    failureAt: row['failure_at'] as number | null,
    endedAt: row['ended_at'] as number | null,
    parentRunId: row['parent_run_id'] as string | null,
  }
}

function columnsOf({ phase, started, endedBy }: RunState): [number, number, string | null] {
  return [RUN_PHASES.indexOf(phase), started ? 1 : 0, endedBy]
}

function stateFrom(row: Row): RunState {
  return {
    phase: RUN_PHASES[row['phase'] as number] ?? 'none',
    started: row['started'] === 1,
    endedBy: row['ended_by'] as string | null,
  }
}

function readChild(db: Database, run: number | null, { child }: LifecycleFact): ChildPhase | null {
  if (run === null || child === null) return null
  const row = db
    .prepare('SELECT phase FROM run_children WHERE run = ? AND kind = ? AND id = ?')
    .get(run, CHILD_KINDS[child.kind], child.id)
  return row === undefined ? null : (CHILD_PHASES[row['phase'] as number] ?? null)
}

function writeChild(db: Database, run: number, { child }: LifecycleFact, phase: ChildPhase): void {
  if (child === null) return
  db.prepare(
    `INSERT INTO run_children (run, kind, id, phase) VALUES (?, ?, ?, ?)
     ON CONFLICT (run, kind, id) DO UPDATE SET phase = excluded.phase`,
  ).run(run, CHILD_KINDS[child.kind], child.id, CHILD_PHASES.indexOf(phase))
}
