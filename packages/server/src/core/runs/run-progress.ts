import { RUN_STATUSES, type RunStatus } from '@runbell/sdk/contract'
import type { LifecycleFact, RunState } from '../catalog/lifecycle-fact.ts'

/** What is kept of a run besides its lifecycle, for those who look. Of its events it keeps places, and nothing of what they say. */
export interface RunProgress {
  /** `null`: no event of `agent.run.*` has come. */
  status: RunStatus | null
  /** `sequence` of the event that the status is from. */
  statusAt: number | null
  /** `sequence` of the latest event that something failed. */
  failureAt: number | null
  /** When the event was recorded that ended it, ms of service time. */
  endedAt: number | null
  parentRunId: string | null
}

export const NO_PROGRESS: RunProgress = {
  status: null,
  statusAt: null,
  failureAt: null,
  endedAt: null,
  parentRunId: null,
}

/** Where an event stands in its run. */
export interface RunPlace {
  sequence: number
  /** ms of service time. */
  recordedAt: number
}

/** The types that carry an error of the run or of something it did. */
const FAILURES: ReadonlySet<string> = new Set([
  'agent.run.failed',
  'agent.run.retrying',
  'agent.run.outcome_unknown',
  'agent.tool_call.failed',
])

/**
 * What a run has come to with one more event. A run that has ended keeps its status, whatever is published about it
 * afterwards.
 *
 * @param before the run's lifecycle without the event
 * @param after and with it
 */
export function followProgress(
  progress: RunProgress,
  fact: LifecycleFact | null,
  { before, after, place }: { before: RunState; after: RunState; place: RunPlace },
): RunProgress {
  if (fact === null) return progress
  const next = { ...progress }
  if (FAILURES.has(fact.type)) next.failureAt = place.sequence
  next.parentRunId ??= fact.parentRunId
  if (before.endedBy !== null) return next
  if (after.endedBy !== null) next.endedAt = place.recordedAt
  const status = fact.type.startsWith('agent.run.') ? statusOf(fact.status) : null
  if (status !== null) {
    next.status = status
    next.statusAt = place.sequence
  }
  return next
}

function statusOf(word: string | null): RunStatus | null {
  return RUN_STATUSES.find((status) => status === word) ?? null
}
