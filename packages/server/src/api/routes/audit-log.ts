import { z } from '@hono/zod-openapi'
import { AUDIT_ACTIONS, MODES } from '@runbell/sdk/contract'
import { auditLine } from '../../core/audit/audit-entry.ts'
import { sealAll } from '../../audit/seal.ts'
import type { ReadScope } from '../../store/rows.ts'
import type { ApiContext } from '../context.ts'
import { streamAnswer } from '../http/answer.ts'
import { anyId, pageQuery, rfc3339, tenantQuery, toMs } from '../read/filters.ts'
import { scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { pageOf } from '../views/schemas.ts'

const entrySchema = z
  .object({
    seq: z.number().int().nullable().openapi({
      description: 'Its place in the chain of its mode, from 1; null for about a second.',
    }),
    hash: z.string().nullable().openapi({
      description:
        'SHA-256 (hex) of the hash before it, a line feed, and this object as it is sent without seq and hash; before the first one, 64 zeros.',
    }),
    at: z.string().openapi({ format: 'date-time' }),
    actor: z.string().openapi({ description: 'The id of an API key; system, cli or config where there was none.' }),
    action: z.enum(AUDIT_ACTIONS),
    target: z.string().openapi({ description: 'The id of what was changed or looked at.' }),
    tenant_id: z.string().nullable(),
    mode: z.enum(MODES),
    detail: z.record(z.string(), z.unknown()),
    request_id: z.string().nullable(),
  })
  .openapi('AuditEntry')

const listAudit = defineRoute({
  method: 'get',
  path: '/v1/audit-log',
  operationId: 'listAuditLog',
  summary: 'Lists what was changed and which payloads were looked at, newest first',
  scopes: ['admin'],
  query: z.strictObject({
    ...pageQuery,
    actor: anyId.optional(),
    action: z.array(z.enum(AUDIT_ACTIONS)).max(AUDIT_ACTIONS.length).default([]),
    target: z.string().min(1).max(300).optional(),
    since: rfc3339.optional(),
    until: rfc3339.optional(),
  }),
  answers: { 200: { description: 'A page of entries', schema: pageOf(entrySchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const { actor = null, action: actions, target = null, since, until } = call.query
    const filter = { actor, actions, target, since: toMs(since), until: toMs(until) }
    const list = { route: 'audit-log', filter: [scope, filter] }
    const page = pageRequest(call.cursors, list, call.query)
    const rows = await call.context.store.listAudit({ scope, filter, page })
    return pageAnswer(call.cursors, list, rows, ({ seal, content }) => auditLine(seal, content))
  },
})

const exportAudit = defineRoute({
  method: 'get',
  path: '/v1/audit-log/export',
  operationId: 'exportAuditLog',
  summary: 'Streams the audit log as NDJSON in the order of its chain, as runbell audit verify reads it',
  scopes: ['admin'],
  query: z.strictObject({
    ...tenantQuery,
    after: z.number().int().min(0).default(0).openapi({ description: 'The last seq that is already there.' }),
  }),
  answers: { 200: { description: 'One entry a line', schema: entrySchema, contentType: 'application/x-ndjson' } },
  problems: [],
  async handle(call) {
    const { context, query } = call
    const scope = scopeOf(call)
    // What was done before the export began is in it.
    await sealAll(context.store, context.views)
    return await streamAnswer('application/x-ndjson', linesAfter(context, scope, query.after))
  },
})

/** Entries in memory at a time. */
const BATCH = 500

async function* linesAfter({ store }: ApiContext, scope: ReadScope, after: number): AsyncGenerator<string> {
  let afterSeq = after
  for (;;) {
    const rows = await store.readAudit({ scope, afterSeq, limit: BATCH })
    if (rows.length === 0) return
    afterSeq = rows.at(-1)?.seal?.seq ?? afterSeq
    yield rows.map(({ seal, content }) => `${auditLine(seal, content)}\n`).join('')
  }
}

export const AUDIT_LOG_ROUTES: readonly Route[] = [listAudit, exportAudit]
