import { z } from '@hono/zod-openapi'
import { PRODUCER_ID_PATTERN, RUN_STATUSES, type RunDetailView } from '@runbell/sdk/contract'
import { readDataMember, readTimelineEvent } from '../../core/runs/timeline-event.ts'
import { gapsOf, timelineOf, type TimelineEvent } from '../../core/runs/timeline.ts'
import type { EventRow } from '../../store/rows.ts'
import type { RunDetail, RunRow } from '../../store/runs.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { Breath } from '../publish/breath.ts'
import { cutForKey } from '../read/cut-for-key.ts'
import { pageQuery, rfc3339, tenantQuery, tenantQuerySchema, toMs } from '../read/filters.ts'
import { scopeOf, type Finding } from '../read/find.ts'
import { noteViews, type Reader } from '../read/note-views.ts'
import { fillPage, pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { runDetailSchema, runSchema, timelineSchema } from '../views/run-schemas.ts'
import { childRunView, runDetailView, runView, timelineRowView, type Seen } from '../views/run-view.ts'
import { pageOf } from '../views/schemas.ts'
import { timeView } from '../views/time.ts'

/** Events of one answer, which are read in pieces of so many. */
const MOST_EVENTS = 1000
const PIECE = 100
/** Runs that a run has started and its timeline shows. */
const MOST_CHILDREN = 200

const producerId = z.string().regex(PRODUCER_ID_PATTERN)

const listRuns = defineRoute({
  method: 'get',
  path: '/v1/runs',
  operationId: 'listRuns',
  summary: 'Lists runs, the latest begun first',
  scopes: ['read'],
  query: z.strictObject({
    ...pageQuery,
    status: z.array(z.enum(RUN_STATUSES)).max(RUN_STATUSES.length).default([]),
    agent_id: z.string().min(1).max(255).optional(),
    task_id: producerId.optional(),
    parent_run_id: producerId.optional(),
    since: rfc3339.optional(),
    until: rfc3339.optional(),
  }),
  answers: { 200: { description: 'A page of runs', schema: pageOf(runSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const { query, cursors, context } = call
    const scope = scopeOf(call)
    const filter = {
      statuses: query.status,
      agentId: query.agent_id ?? null,
      taskId: query.task_id ?? null,
      parentRunId: query.parent_run_id ?? null,
      since: toMs(query.since),
      until: toMs(query.until),
    }
    const list = { route: 'runs', filter: [scope, filter] }
    const asked = pageRequest(cursors, list, query)
    const rows = await fillPage(context.clock, asked, (page) => context.store.listRuns({ scope, filter, page }))
    return pageAnswer(cursors, list, rows, (row) => JSON.stringify(runView(row)))
  },
})

const getRun = defineRoute({
  method: 'get',
  path: '/v1/runs/{run_id}',
  operationId: 'getRun',
  summary: 'Shows a run: its state, what is open, its latest error, and how its deliveries are',
  scopes: ['read'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The run', schema: runDetailSchema } },
  problems: ['not_found', 'ambiguous_id'],
  async handle(call) {
    return jsonAnswer(200, await detailFor(call, await findRun(call)))
  },
})

const getTimeline = defineRoute({
  method: 'get',
  path: '/v1/runs/{run_id}/timeline',
  operationId: 'getRunTimeline',
  summary: 'Shows what happened in a run: a row for each tool call, approval, message and child run',
  scopes: ['read'],
  query: z.strictObject({
    ...tenantQuery,
    limit: z.number().int().min(1).max(MOST_EVENTS).default(MOST_EVENTS).openapi({
      description: 'Events in one answer; rows are made of these alone.',
    }),
    cursor: z.string().min(1).max(100).optional(),
  }),
  answers: { 200: { description: 'The timeline', schema: timelineSchema } },
  problems: ['not_found', 'ambiguous_id', 'cursor_invalid'],
  async handle(call) {
    const { query, cursors } = call
    const run = await findRun(call)
    const list = { route: 'timeline', filter: [scopeOf(call), run.position] }
    const after = pageRequest(cursors, list, query).after ?? 0
    const events = await readEvents(call, run, after, query.limit)
    const last = events.at(-1)?.sequence ?? run.lastSequence
    const isLast = events.length < query.limit || last >= run.lastSequence
    const children = after === 0 ? await childrenOf(call, run) : []
    const part = { isFirst: after === 0, isLast }
    const rows = timelineOf(run.runId, events, run.endedAt !== null, part).map(timelineRowView)
    return jsonAnswer(200, {
      run: await detailFor(call, run),
      rows: [...rows, ...children.map(childRunView)],
      gaps: gapsOf(events, after),
      next_cursor: isLast ? null : cursors.encode(list, last),
    })
  },
})

/** The run named in the path. Two tenants may have used the same id (details 10). @throws Refused */
async function findRun(call: Finding): Promise<RunDetail> {
  const runId = call.id('run_id')
  if (!PRODUCER_ID_PATTERN.test(runId)) throw notFound()
  const [run, other] = await call.context.store.findRuns({ scope: scopeOf(call), runId })
  if (run === undefined) throw notFound()
  if (other === undefined) return run
  throw refused('ambiguous_id', 'More than one tenant has a run with this id.', 'Add ?tenant_id= to say which one.')
}

async function detailFor(call: Reader, run: RunDetail): Promise<RunDetailView> {
  return runDetailView(run, await seenOf(call, run))
}

async function seenOf(call: Reader, { status, statusEvent, failureEvent }: RunDetail): Promise<Seen> {
  const waitingEvent = status === 'waiting' ? statusEvent : null
  await noteViews(
    call,
    [waitingEvent, failureEvent].filter((event) => event !== null),
  )
  const waiting = waitingEvent === null ? null : read(call, waitingEvent, 'waiting_for')
  const waiting_for = typeof waiting === 'string' ? waiting : null
  if (failureEvent === null) return { waiting_for, last_error: null }
  const { eventId: event_id, type, recordedAt } = failureEvent
  const error = read(call, failureEvent, 'error')
  return { waiting_for, last_error: { event_id, type, recorded_at: timeView(recordedAt), error } }
}

function read({ context, principal }: Reader, row: EventRow, member: string): unknown {
  return row.payloadGone === null ? readDataMember(cutForKey(context, principal, row), member) : null
}

/** Piece by piece, so that the bodies of a long run are never in memory together, and others have their turns. */
async function readEvents(call: Reader, run: RunRow, after: number, limit: number): Promise<TimelineEvent[]> {
  const { context, principal } = call
  const events: TimelineEvent[] = []
  const breath = new Breath(context.clock)
  for (let last = after; events.length < limit;) {
    const piece = Math.min(PIECE, limit - events.length)
    const rows = await context.store.listRunEvents({ run: run.position, after: last, limit: piece })
    for (const row of rows) {
      if (breath.isDue()) await breath.take()
      const { eventId, type, sequence, recordedAt, deliveries } = row
      const body = row.payloadGone === null ? cutForKey(context, principal, row) : row.body
      last = sequence ?? last
      events.push({ eventId, type, sequence: last, recordedAt, deliveries, ...readTimelineEvent(type, body) })
    }
    if (rows.length < piece) break
  }
  return events
}

async function childrenOf(call: Reader, run: RunRow): Promise<RunRow[]> {
  const filter = { statuses: [], agentId: null, taskId: null, parentRunId: run.runId, since: null, until: null }
  const scope = { mode: run.mode, tenantId: run.tenantId }
  const { rows } = await call.context.store.listRuns({ scope, filter, page: { limit: MOST_CHILDREN, after: null } })
  return rows.toReversed()
}

export const RUN_ROUTES: readonly Route[] = [listRuns, getRun, getTimeline]
