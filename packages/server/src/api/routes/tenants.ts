import { z } from '@hono/zod-openapi'
import { DEFAULT_DATA_CLASSES, MODES } from '@runbell/sdk/contract'
import { GRANTABLE_CLASSES, classNames, maskOf } from '../../core/data-classes.ts'
import type { TenantRow } from '../../store/rows.ts'
import { auditOf } from '../access/audit.ts'
import { refusedToBound } from '../access/principal.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound } from '../http/problem.ts'
import { pageQuerySchema, tenantId } from '../read/filters.ts'
import { scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { pageOf } from '../views/schemas.ts'
import { timeView } from '../views/time.ts'

const dataClass = z.enum([...DEFAULT_DATA_CLASSES, ...GRANTABLE_CLASSES])

const tenantSchema = z
  .object({
    id: z.string(),
    mode: z.enum(MODES),
    max_data_classes: z.array(dataClass).nullable(),
    events_per_second: z.number().nullable(),
    max_pending_deliveries: z.number().int().nullable(),
    decide_approvals: z.boolean(),
    created_at: z.string().openapi({ format: 'date-time' }),
    updated_at: z.string().openapi({ format: 'date-time' }),
  })
  .openapi('Tenant')

function tenantView(row: TenantRow): z.output<typeof tenantSchema> {
  return {
    id: row.tenantId,
    mode: row.mode,
    max_data_classes: row.maxDataClasses,
    events_per_second: row.limits.eventsPerSecond,
    max_pending_deliveries: row.limits.maxPending,
    decide_approvals: row.decidesSince !== null,
    created_at: timeView(row.createdAt),
    updated_at: timeView(row.updatedAt),
  }
}

const listTenants = defineRoute({
  method: 'get',
  path: '/v1/tenants',
  operationId: 'listTenants',
  summary: 'Lists the tenants that have limits of their own, newest first',
  scopes: ['admin'],
  query: pageQuerySchema,
  answers: { 200: { description: 'A page of tenants', schema: pageOf(tenantSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const list = { route: 'tenants', filter: scope }
    const rows = await call.context.store.listTenants({ scope, page: pageRequest(call.cursors, list, call.query) })
    return pageAnswer(call.cursors, list, rows, (row) => JSON.stringify(tenantView(row)))
  },
})

const putTenant = defineRoute({
  method: 'post',
  path: '/v1/tenants',
  operationId: 'setTenant',
  summary: 'Sets the limits of a tenant; endpoints that were granted more lose it, and what would send it ends',
  scopes: ['admin'],
  query: z.strictObject({}),
  body: z
    .strictObject({
      id: tenantId.refine((name) => name !== '*', 'must be one tenant'),
      max_data_classes: z.array(dataClass).max(20).nullable().default(null).openapi({
        description: 'What its endpoints may be granted at most, besides public and summary; null: anything.',
      }),
      events_per_second: z.number().min(0.1).max(1_000_000).nullable().default(null).openapi({
        description:
          'Events it may publish over time; ten seconds of them may come at once. null: as any other tenant.',
      }),
      max_pending_deliveries: z.number().int().min(1).max(1_000_000_000).nullable().default(null).openapi({
        description:
          'Deliveries that may be pending; events that would make more are refused. null: as any other tenant.',
      }),
      decide_approvals: z.boolean().default(false).openapi({
        description:
          'Whether its approvals are decided through Runbell, which then also ends those that nobody decides in time.',
      }),
    })
    .openapi('TenantInput'),
  answers: { 200: { description: 'The tenant', schema: tenantSchema } },
  problems: [],
  async handle(call) {
    const { context, principal, body, now } = call
    if (principal.tenantId !== null) throw refusedToBound('The limits of tenants are set from outside')
    const max = body.max_data_classes
    const maxDataClasses = max === null ? null : classNames(maskOf([...max, ...DEFAULT_DATA_CLASSES]))
    const limits = { eventsPerSecond: body.events_per_second, maxPending: body.max_pending_deliveries }
    const { id: _id, ...asked } = body
    const detail = { ...asked, max_data_classes: maxDataClasses }
    const { tenant, configVersion } = await context.store.putTenant({
      ...{ mode: principal.mode, tenantId: body.id, maxDataClasses, limits, now },
      decidesApprovals: body.decide_approvals,
      audit: auditOf(call, { action: 'tenant.updated', target: body.id, tenantId: body.id, detail }),
    })
    context.wake({ configVersion })
    return jsonAnswer(200, tenantView(tenant))
  },
})

const getTenant = defineRoute({
  method: 'get',
  path: '/v1/tenants/{tenant_id}',
  operationId: 'getTenant',
  summary: 'Shows the limits of a tenant',
  scopes: ['admin'],
  query: z.strictObject({}),
  answers: { 200: { description: 'The tenant', schema: tenantSchema } },
  problems: ['not_found'],
  async handle(call) {
    const { mode, tenantId: own } = call.principal
    const wanted = call.id('tenant_id')
    if (own !== null && own !== wanted) throw notFound()
    const scope = { mode, tenantId: wanted }
    const { rows } = await call.context.store.listTenants({ scope, page: { limit: 1, after: null } })
    const [row] = rows
    if (row === undefined) throw notFound()
    return jsonAnswer(200, tenantView(row))
  },
})

export const TENANT_ROUTES: readonly Route[] = [listTenants, putTenant, getTenant]
