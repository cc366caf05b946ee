import { z } from '@hono/zod-openapi'
import {
  DIAGNOSTIC_SEVERITIES,
  PRODUCER_ID_PATTERN,
  TRACE_ID_PATTERN,
  type DiagnosticsErased,
} from '@runbell/sdk/contract'
import type { DiagnosticFilter } from '../../store/diagnostics.ts'
import { auditOf } from '../access/audit.ts'
import { diagnosticView } from '../diagnostics/diagnostic-view.ts'
import { exportLines } from '../diagnostics/export-diagnostics.ts'
import { follow } from '../diagnostics/follow-diagnostics.ts'
import { ingestRoute } from '../diagnostics/ingest.ts'
import { DIAGNOSTICS_INGEST } from '../diagnostics/post-diagnostics.ts'
import { tailAnswer } from '../diagnostics/tail-answer.ts'
import { jsonAnswer, streamAnswer } from '../http/answer.ts'
import { refused } from '../http/problem.ts'
import { seenBy } from '../read/cut-for-key.ts'
import { glob, pageQuery, rfc3339, tenantId, tenantQuery, toMs } from '../read/filters.ts'
import { scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import { diagnosticInputSchema, diagnosticSchema, diagnosticsAcceptedSchema } from '../views/diagnostic-schemas.ts'
import { pageOf } from '../views/schemas.ts'

const NDJSON = 'application/x-ndjson'
/** Names to look for. */
const MOST_NAMES = 50
const ERASE_PIECE = 1000

const runId = z.string().regex(PRODUCER_ID_PATTERN)

const filterQuery = {
  ...tenantQuery,
  run_id: runId.optional(),
  trace_id: z.string().regex(TRACE_ID_PATTERN).optional(),
  name: z.array(glob).max(MOST_NAMES).default([]),
  severity: z
    .enum(DIAGNOSTIC_SEVERITIES)
    .default('trace')
    .openapi({ description: 'Of this severity or a higher one.' }),
}
const times = { since: rfc3339.optional(), until: rfc3339.optional() }

type FilterQuery = z.output<z.ZodObject<typeof filterQuery>> & {
  since?: string | undefined
  until?: string | undefined
}

function filterOf(query: FilterQuery): DiagnosticFilter {
  return {
    runId: query.run_id ?? null,
    traceId: query.trace_id ?? null,
    names: query.name,
    leastSeverity: DIAGNOSTIC_SEVERITIES.indexOf(query.severity),
    since: toMs(query.since),
    until: toMs(query.until),
  }
}

/** Whoever looks is on record, as with payloads; one entry for all that is looked at in a while. */
async function noteLook(call: Call<FilterQuery, unknown>): Promise<void> {
  const { context, principal, requestId, now: at, query } = call
  const { keyId: actor, mode } = principal
  const { tenantId: whose } = scopeOf(call)
  const target = query.run_id === undefined ? 'diagnostics' : `diagnostics:${query.run_id}`
  await context.views.note([{ mode, tenantId: whose, at, actor, target, requestId }])
}

const postDiagnostics = ingestRoute(DIAGNOSTICS_INGEST, {
  path: '/v1/diagnostics',
  operationId: 'postDiagnostics',
  summary: 'Stores diagnostics: log records about runs, which never reach an endpoint',
  bodies: { 'application/json': z.array(diagnosticInputSchema), [NDJSON]: diagnosticInputSchema },
  answers: { 202: { description: 'What became of each, in order', schema: diagnosticsAcceptedSchema } },
  problems: ['rate_limited', 'storage_full'],
})

const listDiagnostics = defineRoute({
  method: 'get',
  path: '/v1/diagnostics',
  operationId: 'listDiagnostics',
  summary: 'Lists diagnostics, newest first: of a run, a trace, or all',
  scopes: ['read'],
  query: z.strictObject({
    ...pageQuery,
    ...filterQuery,
    ...times,
    order: z.enum(['newest', 'oldest']).default('newest'),
  }),
  answers: { 200: { description: 'A page, which may be short and not the last', schema: pageOf(diagnosticSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const { query, cursors, context, principal } = call
    const scope = scopeOf(call)
    const filter = filterOf(query)
    const list = { route: 'diagnostics', filter: [scope, filter, query.order] }
    const page = { ...pageRequest(cursors, list, query), order: query.order }
    await noteLook(call)
    const rows = await context.diagnostics.store.list({ scope, filter, page })
    const grants = seenBy(principal)
    return pageAnswer(cursors, list, rows, (row) => JSON.stringify(diagnosticView(row, grants)))
  },
})

const exportDiagnostics = defineRoute({
  method: 'get',
  path: '/v1/diagnostics/export',
  operationId: 'exportDiagnostics',
  summary: 'Streams diagnostics, oldest first, up to the one that is the latest when the export begins',
  scopes: ['read'],
  query: z.strictObject({
    ...filterQuery,
    ...times,
    format: z.enum(['ndjson', 'otlp']).default('ndjson').openapi({
      description: 'otlp: log records as OTLP JSON, one ExportLogsServiceRequest a line (OTLP file exporter).',
    }),
  }),
  answers: { 200: { description: 'One diagnostic a line', schema: diagnosticSchema, contentType: NDJSON } },
  problems: [],
  async handle(call) {
    const { context, query, principal } = call
    await noteLook(call)
    const request = { scope: scopeOf(call), filter: filterOf(query), grants: seenBy(principal), format: query.format }
    return await streamAnswer(NDJSON, exportLines(context, request))
  },
})

const tailDiagnostics = defineRoute({
  method: 'get',
  path: '/v1/diagnostics/tail',
  operationId: 'tailDiagnostics',
  summary: 'Follows diagnostics as they are stored, as server-sent events; Last-Event-ID resumes',
  scopes: ['read'],
  query: z.strictObject({ ...filterQuery, last_event_id: z.string().min(1).max(100).optional() }),
  answers: {
    200: { description: 'Events `diagnostic`', schema: diagnosticSchema, contentType: 'text/event-stream' },
  },
  problems: ['cursor_invalid', 'rate_limited'],
  async handle(call) {
    const { context, query, cursors, headers } = call
    const { diagnostics, clock } = context
    const { principal } = call
    const scope = scopeOf(call)
    const filter = filterOf(query)
    const list = { route: 'diagnostics-tail', filter: [scope, filter] }
    const last = query.last_event_id ?? headers.get('last-event-id')
    const after = last === null ? await diagnostics.store.lastPosition() : cursors.decode(list, last)
    await noteLook(call)
    if (!diagnostics.followers.enter(principal.keyId)) throw tooManyFollowers()
    const ending = new AbortController()
    const mayGoOn = async () => (await call.authenticator.authenticate(headers.get('authorization'))) !== null
    const pieces = follow({
      ...{ store: diagnostics.store, clock, scope, filter, after, mayGoOn },
      signal: ending.signal,
    })
    const onEnd = () => {
      ending.abort()
      diagnostics.followers.leave(principal.keyId)
    }
    return tailAnswer(
      eventsOf(call, pieces, (position) => cursors.encode(list, position)),
      { clock, onEnd },
    )
  },
})

async function* eventsOf(
  { principal }: Call<unknown, unknown>,
  pieces: ReturnType<typeof follow>,
  idOf: (position: number) => string,
): AsyncGenerator<string> {
  const grants = seenBy(principal)
  yield 'retry: 2000\n\n'
  for await (const { rows, position } of pieces) {
    const events = rows.map((row) => {
      return `id: ${idOf(row.position)}\nevent: diagnostic\ndata: ${JSON.stringify(diagnosticView(row, grants))}\n\n`
    })
    // A comment without a record: the connection is not idle, and where it goes on from is as far as was looked.
    yield rows.length > 0 ? events.join('') : `id: ${idOf(position)}\n: nothing new\n\n`
  }
}

function tooManyFollowers(): Error {
  const detail = 'As many follow diagnostics already as one server, or one key, may have.'
  return refused('rate_limited', detail, 'End one, or list them instead.', [], { 'retry-after': '30' })
}

const eraseDiagnostics = defineRoute({
  method: 'post',
  path: '/v1/diagnostics/erase',
  operationId: 'eraseDiagnostics',
  summary: 'Removes every diagnostic of a run for good',
  scopes: ['admin'],
  query: z.strictObject(tenantQuery),
  body: z.strictObject({ run_id: runId, tenant_id: tenantId.optional() }),
  answers: {
    200: {
      description: 'How many there were',
      schema: z.object({ run_id: z.string(), erased: z.number().int() }).openapi('DiagnosticsErased'),
    },
  },
  problems: [],
  async handle(call) {
    const { context, body } = call
    const query = body.tenant_id === undefined ? call.query : { tenant_id: body.tenant_id }
    const scope = scopeOf({ ...call, query })
    const { run_id } = body
    // On record first: they are in another store, and a crash in between must not leave an erasure that nobody knows of.
    await context.store.appendAudit({
      entries: auditOf(call, { action: 'diagnostics.erased', target: run_id, tenantId: scope.tenantId }),
    })
    let erased = 0
    for (let went = ERASE_PIECE; went === ERASE_PIECE; erased += went) {
      went = await context.diagnostics.store.erase({ scope, runId: run_id, limit: ERASE_PIECE })
    }
    return jsonAnswer(200, { run_id, erased } satisfies DiagnosticsErased)
  },
})

export const DIAGNOSTIC_ROUTES: readonly Route[] = [
  postDiagnostics,
  listDiagnostics,
  exportDiagnostics,
  tailDiagnostics,
  eraseDiagnostics,
]
