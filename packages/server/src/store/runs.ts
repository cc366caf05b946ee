import type { DeliveryCounts, Mode, RunStatus } from '@runbell/sdk/contract'
import type { CursorPage, EventRow, PageRequest, ReadScope } from './rows.ts'

export interface RunFilter {
  /** Empty: any, those without a status included. */
  statuses: RunStatus[]
  agentId: string | null
  taskId: string | null
  parentRunId: string | null
  /** Its first event was recorded at or after. */
  since: number | null
  /** Its first event was recorded before. */
  until: number | null
}

/** What is kept of a run as its events are accepted. */
export interface RunRow {
  /** In the order in which runs had their first event. */
  position: number
  mode: Mode
  tenantId: string
  runId: string
  /** Of its first event. */
  agentId: string | null
  /** The first that one of its events named. */
  taskId: string | null
  parentRunId: string | null
  /** `null`: no event of `agent.run.*` has come. */
  status: RunStatus | null
  /** The `sequence` of its latest event: as many have been accepted. */
  lastSequence: number
  /** Events that broke the order of its lifecycle. */
  lifecycleWarnings: number
  /** When its first event was recorded. */
  createdAt: number
  /** When its latest event was recorded. */
  updatedAt: number
  /** When the event was recorded that ended it. */
  endedAt: number | null
}

export interface ChildCounts {
  total: number
  /** Begun, and not ended. */
  open: number
}

export interface RunDetail extends RunRow {
  toolCalls: ChildCounts
  approvals: ChildCounts
  /** Of all its events. */
  deliveries: DeliveryCounts
  /** The event that its status is from; `null`: there is none, or it is kept no longer. */
  statusEvent: EventRow | null
  /** The latest event of a failure. */
  failureEvent: EventRow | null
}

export interface RunVerbs {
  /** Newest first. */
  listRuns(input: { scope: ReadScope; filter: RunFilter; page: PageRequest }): Promise<CursorPage<RunRow>>
  /** At most two runs: two only if two tenants of the scope have one with this id. */
  findRuns(input: { scope: ReadScope; runId: string }): Promise<RunDetail[]>
  /** The events of one run in the order of their `sequence`, those with a higher one than `after`. */
  listRunEvents(input: { run: number; after: number; limit: number }): Promise<EventRow[]>
}
