/** What the lifecycle rules need to know of an event. */
export interface LifecycleFact {
  type: string
  /** `data.status`, where it is a string. */
  status: string | null
  /** The approval or tool call that the event is about. */
  child: { kind: ChildKind; id: string } | null
  /** `data.parent_run_id` of the event that starts a run, where it names one. */
  parentRunId: string | null
  /** Until when an approval can be decided, as its request says, ms; `null`: for ever, or it is no request. */
  decideBy: number | null
  /** Set per type: what breaks the order is refused instead of flagged. */
  strict: boolean
  /** The service itself ends an approval with it, which happens once (details 23). */
  byService: boolean
}

export type ChildKind = 'tool_call' | 'approval'

/** Where a run is; `none`: no event of `agent.run.*` has come yet. */
export const RUN_PHASES = ['none', 'queued', 'running', 'waiting', 'retrying', 'unknown', 'ended'] as const
export type RunPhase = (typeof RUN_PHASES)[number]

/** What is remembered of a run's lifecycle. */
export interface RunState {
  phase: RunPhase
  /** `agent.run.started` has come: it comes once. */
  started: boolean
  /** The type of the terminal event; `null` while the run goes on. */
  endedBy: string | null
}

/** Where an approval or tool call is. `open`: requested or started; `decided`: the service has ended it. */
export const CHILD_PHASES = ['open', 'ended', 'decided'] as const
export type ChildPhase = (typeof CHILD_PHASES)[number]

export const NEW_RUN: RunState = { phase: 'none', started: false, endedBy: null }

export type LifecycleRefusal = 'run_already_ended' | 'approval_already_decided' | 'state_conflict'

export type LifecycleStep =
  | {
      kind: 'taken'
      run: RunState
      /** The new phase of the event's child; `null`: it has none, or stays as it is. */
      child: ChildPhase | null
      /** Why the event breaks the order, one sentence each; empty: it does not. */
      warnings: string[]
    }
  | { kind: 'refused'; code: LifecycleRefusal; message: string }
