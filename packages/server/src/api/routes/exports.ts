import { z } from '@hono/zod-openapi'
import type { EventRow, ReadScope } from '../../store/rows.ts'
import { auditOf } from '../access/audit.ts'
import { csvRecord } from '../http/csv.ts'
import { streamAnswer, type StreamedAnswer } from '../http/answer.ts'
import { Breath } from '../publish/breath.ts'
import { eventTextFor } from '../read/event-row.ts'
import {
  deadLetterExportQuerySchema,
  eventExportQuerySchema,
  toDeliveryFilter,
  toEventFilter,
} from '../read/filters.ts'
import { scopeOf } from '../read/find.ts'
import { noteViews, type Reader } from '../read/note-views.ts'
import { unseen } from '../read/cut-for-key.ts'
import { defineRoute, type Route } from '../route.ts'
import type { DeliveryFilter, EventFilter } from '../../store/rows.ts'
import { deadLetterView, type DeadLetterView } from '../views/delivery-view.ts'
import { deadLetterSchema, eventSchema } from '../views/schemas.ts'

const NDJSON = 'application/x-ndjson'
/** Rows in one read of the database. */
const STEP = 500
/** Bytes of bodies that are in memory for one export at a time; a single larger one goes alone. */
const STEP_BYTES = 1024 * 1024

const endSchema = z
  .object({ export: z.object({ complete: z.literal(true), rows: z.int() }) })
  .openapi('ExportEnd', { description: 'The last line of a whole export. One without it was cut off.' })

/** The last line: whoever does not find it has a part only. */
function endLine(rows: number): string {
  return `${JSON.stringify({ export: { complete: true, rows } } satisfies z.output<typeof endSchema>)}\n`
}

function asFile(answer: StreamedAnswer, name: string): StreamedAnswer {
  const headers = { ...answer.headers, 'content-disposition': `attachment; filename="${name}"` }
  return { ...answer, headers }
}

const exportEvents = defineRoute({
  method: 'get',
  path: '/v1/events/export',
  operationId: 'exportEvents',
  summary:
    'Streams events as NDJSON, oldest first, as far as the key may see them; the last line says that nothing is missing',
  scopes: ['read'],
  query: eventExportQuerySchema,
  answers: {
    200: {
      description: 'One event a line; what is accepted after the export began is not in it',
      schema: z.union([eventSchema, endSchema]),
      contentType: NDJSON,
    },
  },
  problems: [],
  async handle(call) {
    const scope = scopeOf(call)
    const filter = toEventFilter(call.query)
    const { type: types, run_id: runId, since, until } = call.query
    const detail = { types, run_id: runId, since, until }
    const change = { action: 'events.exported', target: 'events', tenantId: scope.tenantId, detail } as const
    await call.context.store.appendAudit({ entries: auditOf(call, change) })
    return asFile(await streamAnswer(NDJSON, eventLines(call, scope, filter)), 'events.ndjson')
  },
})

async function* eventLines(call: Reader, scope: ReadScope, filter: EventFilter): AsyncGenerator<string> {
  const { store, clock } = call.context
  const breath = new Breath(clock)
  let rows = 0
  let upTo: number | null = null
  for (let after: number | null = 0; after !== null;) {
    const step: { next: number | null; upTo: number; rows: EventRow[] } = await store.scanEvents({
      ...{ scope, filter, after, upTo, limit: STEP, maxBytes: STEP_BYTES },
    })
    upTo = step.upTo
    after = step.next
    if (step.rows.length === 0) continue
    await noteViews(call, step.rows)
    let text = ''
    for (const row of step.rows) {
      text += `${eventTextFor(call, row)}\n`
      if (breath.isDue()) await breath.take()
    }
    rows += step.rows.length
    yield text
  }
  yield endLine(rows)
}

/** The columns of the CSV, in this order for ever; new ones come at the end. */
const COLUMNS = [
  ...['id', 'event_id', 'event_type', 'run_id', 'endpoint_id', 'tenant_id', 'mode', 'status', 'reason', 'error_code'],
  ...['attempt_count', 'body_sha256', 'created_at', 'updated_at'],
] as readonly (keyof DeadLetterView)[]

const exportDeadLetters = defineRoute({
  method: 'get',
  path: '/v1/dead-letters/export',
  operationId: 'exportDeadLetters',
  summary: 'Streams dead letters as NDJSON or CSV, newest first; the last line says that nothing is missing',
  scopes: ['read'],
  query: deadLetterExportQuerySchema,
  answers: {
    200: {
      description:
        'One dead letter a line. As CSV (RFC 4180) the first line has the names, and the last one is `#complete` and the number of rows',
      schema: z.union([deadLetterSchema, endSchema]),
      contentType: NDJSON,
    },
  },
  problems: [],
  async handle(call) {
    const scope = scopeOf(call)
    const { format, ...query } = call.query
    const rows = deadLetters(call, scope, { ...toDeliveryFilter(query), deadLetters: true })
    if (format === 'ndjson') return asFile(await streamAnswer(NDJSON, asNdjson(rows)), 'dead-letters.ndjson')
    return asFile(await streamAnswer('text/csv; charset=utf-8; header=present', asCsv(rows)), 'dead-letters.csv')
  },
})

async function* deadLetters(
  { context, principal }: Reader,
  scope: ReadScope,
  filter: DeliveryFilter,
): AsyncGenerator<DeadLetterView[]> {
  for (let after: number | null | undefined; after !== null;) {
    const page = { limit: STEP, after: after ?? null }
    const found: Awaited<ReturnType<typeof context.store.listDeliveries>> = await context.store.listDeliveries({
      ...{ scope, filter, page },
    })
    after = found.next
    yield found.rows.map((row) => deadLetterView(row, unseen(principal, row.classes) === 0))
  }
}

async function* asNdjson(pages: AsyncIterable<DeadLetterView[]>): AsyncGenerator<string> {
  let rows = 0
  for await (const page of pages) {
    rows += page.length
    yield page.map((row) => `${JSON.stringify(row)}\n`).join('')
  }
  yield endLine(rows)
}

async function* asCsv(pages: AsyncIterable<DeadLetterView[]>): AsyncGenerator<string> {
  yield csvRecord(COLUMNS)
  let rows = 0
  for await (const page of pages) {
    rows += page.length
    yield page.map((row) => csvRecord(COLUMNS.map((column) => row[column]))).join('')
  }
  // As many cells as any other record has (RFC 4180, section 2.4).
  yield csvRecord(COLUMNS.map((_, index) => ['#complete', rows][index] ?? null))
}

export const EXPORT_ROUTES: readonly Route[] = [exportEvents, exportDeadLetters]
