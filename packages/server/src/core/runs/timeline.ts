import type { DeliveryCounts } from '@runbell/sdk/contract'

/** What a timeline shows of an event: ids, times and states, which every reader of events may see. */
export interface TimelineEvent {
  eventId: string
  type: string
  sequence: number
  /** When it was accepted, ms of service time. */
  recordedAt: number
  /** When the producer says that it happened, ms; `null`: its payload is gone. */
  timestamp: number | null
  /** What it is about; `null`: nothing but itself, or its payload is gone. */
  subject: Subject | null
  status: string | null
  /** The tool's name. */
  title: string | null
  deliveries: DeliveryCounts
}

export const SUBJECT_KINDS = ['tool_call', 'approval', 'message'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]

export interface Subject {
  kind: SubjectKind
  id: string
}

/** What happened to one thing in a run. */
export interface TimelineRow {
  kind: 'run' | 'event' | SubjectKind
  id: string
  title: string
  status: string | null
  startedAt: number | null
  /** `null`: it has not ended, or nothing tells when. */
  endedAt: number | null
  /** Which end of it never came; `null`: none is missing. */
  missing: 'start' | 'end' | null
  events: TimelineEvent[]
}

/** Which part of a run its events are: what is not in it may be in another. */
export interface TimelinePart {
  /** Nothing came before it. */
  isFirst: boolean
  /** Nothing comes after it. */
  isLast: boolean
}

const WHOLE: TimelinePart = { isFirst: true, isLast: true }

/** Places of a run whose events are kept no longer. */
export interface Gap {
  from: number
  to: number
}

const RUN_ENDS: ReadonlySet<string> = new Set([
  'agent.run.completed',
  'agent.run.partially_completed',
  'agent.run.failed',
  'agent.run.cancelled',
])
const OPENINGS: ReadonlySet<string> = new Set(['agent.tool_call.started', 'agent.approval.requested'])

/**
 * Sorts the events of a run into rows: one for the run itself, one for each tool call, approval and message with all that
 * is about it, one for each other event. Rows are in the order of their first event.
 *
 * @param events in the order of their `sequence`
 * @param runEnded what has not ended by now never will
 */
export function timelineOf(
  runId: string,
  events: readonly TimelineEvent[],
  runEnded: boolean,
  part: TimelinePart = WHOLE,
): TimelineRow[] {
  const rows = new Map<string, TimelineRow>()
  for (const event of events) {
    const { kind, id } = placeOf(runId, event)
    const key = `${kind} ${id}`
    let row = rows.get(key)
    if (row === undefined) {
      const title = event.title ?? (kind === 'event' ? event.type : kind)
      row = { kind, id, title, status: null, startedAt: event.timestamp, endedAt: null, missing: null, events: [] }
      rows.set(key, row)
    }
    row.events.push(event)
    take(row, event)
  }
  for (const row of rows.values()) row.missing = missingOf(row, runEnded, part)
  return [...rows.values()]
}

function placeOf(runId: string, { type, subject, eventId }: TimelineEvent): Pick<TimelineRow, 'kind' | 'id'> {
  if (subject !== null) return subject
  return type.startsWith('agent.run.') ? { kind: 'run', id: runId } : { kind: 'event', id: eventId }
}

function take(row: TimelineRow, event: TimelineEvent): void {
  if (event.title !== null) row.title = event.title
  // What comes after an end does not undo it.
  if (row.endedAt !== null) return
  row.status = event.status ?? row.status
  if (endsRow(row.kind, event.type)) row.endedAt = event.timestamp ?? event.recordedAt
}

function endsRow(kind: TimelineRow['kind'], type: string): boolean {
  if (kind === 'run') return RUN_ENDS.has(type)
  return !OPENINGS.has(type)
}

function missingOf(
  { kind, endedAt, events }: TimelineRow,
  runEnded: boolean,
  part: TimelinePart,
): TimelineRow['missing'] {
  if (endedAt === null) {
    const hasEnd = kind === 'tool_call' || kind === 'approval'
    return hasEnd && runEnded && part.isLast ? 'end' : null
  }
  // A call may be denied, or told of once it is done; a decision follows a request.
  const opening = kind === 'run' ? 'agent.run.started' : kind === 'approval' ? 'agent.approval.requested' : null
  if (opening === null || !part.isFirst) return null
  return events.some(({ type }) => type === opening) ? null : 'start'
}

/** @param events in the order of their `sequence`, from the one after `after` on */
export function gapsOf(events: readonly Pick<TimelineEvent, 'sequence'>[], after: number): Gap[] {
  const gaps: Gap[] = []
  let last = after
  for (const { sequence } of events) {
    if (sequence > last + 1) gaps.push({ from: last + 1, to: sequence - 1 })
    last = sequence
  }
  return gaps
}
