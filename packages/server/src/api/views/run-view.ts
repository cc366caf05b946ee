import type { RunDetailView, RunView, TimelineRowView } from '@runbell/sdk/contract'
import type { TimelineRow } from '../../core/runs/timeline.ts'
import type { RunDetail, RunRow } from '../../store/runs.ts'
import { optionalTimeView, timeView } from './time.ts'

export function runView(row: RunRow): RunView {
  return {
    run_id: row.runId,
    tenant_id: row.tenantId,
    mode: row.mode,
    agent_id: row.agentId,
    task_id: row.taskId,
    parent_run_id: row.parentRunId,
    status: row.status,
    event_count: row.lastSequence,
    lifecycle_warnings: row.lifecycleWarnings,
    created_at: timeView(row.createdAt),
    updated_at: timeView(row.updatedAt),
    ended_at: optionalTimeView(row.endedAt),
  }
}

/** What of a run's events its reader may see. */
export type Seen = Pick<RunDetailView, 'waiting_for' | 'last_error'>

export function runDetailView(row: RunDetail, seen: Seen): RunDetailView {
  const { toolCalls: tool_calls, approvals, deliveries } = row
  return { ...runView(row), ...seen, tool_calls, approvals, deliveries, delivery_health: healthOf(deliveries) }
}

function healthOf({ dead_lettered, expired, pending }: RunDetail['deliveries']): RunDetailView['delivery_health'] {
  if (dead_lettered + expired > 0) return 'failing'
  return pending > 0 ? 'pending' : 'ok'
}

export function timelineRowView({ kind, id, title, status, missing, ...row }: TimelineRow): TimelineRowView {
  const times = { started_at: optionalTimeView(row.startedAt), ended_at: optionalTimeView(row.endedAt) }
  const events = row.events.map((event) => ({
    event_id: event.eventId,
    type: event.type,
    sequence: event.sequence,
    timestamp: optionalTimeView(event.timestamp),
    recorded_at: timeView(event.recordedAt),
    status: event.status,
    deliveries: event.deliveries,
  }))
  return { kind, id, title, status, ...times, missing, events }
}

/** A run that this one started, as a row of its timeline. */
export function childRunView(run: RunRow): TimelineRowView {
  const times = { started_at: timeView(run.createdAt), ended_at: optionalTimeView(run.endedAt) }
  const { runId: id, status } = run
  return { kind: 'child_run', id, title: run.agentId ?? 'child_run', status, ...times, missing: null, events: [] }
}
