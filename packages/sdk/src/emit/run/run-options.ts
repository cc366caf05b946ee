import type { EventDataByType } from '../../catalog/index.ts'
import type { Agent } from '../../contract/index.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { Emit, FactData } from '../fact.ts'
import type { RunbellSettings } from '../options.ts'

/** What wrappers may put into events by themselves. Without it, they tell that something happened, and not what was said. */
export type Capture = 'output' | 'tool_input' | 'tool_output'

export interface RunOptions {
  /** The application's own id of the run: the same over pause, resume and process change. @default a new `run_…` */
  run_id?: string | undefined
  /** @default the option defaultAgent */
  agent?: Agent | undefined
  tenant_id?: string | undefined
  conversation_id?: string | undefined
  /** The task that the run serves. */
  task_id?: string | undefined
  trace_id?: string | undefined
  /** A W3C `traceparent` header; it is where `trace_id` comes from. */
  traceparent?: string | undefined
  metadata?: Record<string, string> | undefined
  /** The run that started this one. */
  parent_run_id?: string | undefined
  /** What else `agent.run.started` says. */
  started?: FactData<'agent.run.started', 'parent_run_id'> | undefined
  /** The run goes on here and has started before: `agent.run.resumed` is told instead of started. */
  resumed_after?: EventDataByType['agent.run.resumed']['resumed_after'] | undefined
  /** @default nothing */
  capture?: readonly Capture[] | undefined
  /** The agent's own signal: where the work throws after it was aborted, the run was cancelled and has not failed. */
  signal?: AbortSignal | undefined
}

/** What a run needs of its Runbell. */
export interface RunContext {
  settings: RunbellSettings
  approvals: Approvals
  emit: Emit
}
