import { z } from '@hono/zod-openapi'
import { DATA_CLASSES, SCOPES, type DataClass, type Scope } from '@runbell/sdk/contract'
import { parseTime } from '../../core/rfc3339.ts'
import { createApiKey, defaultDataClasses } from '../access/api-key.ts'
import { auditOf } from '../access/audit.ts'
import { foreignTenant, type Principal } from '../access/principal.ts'
import { emptyAnswer, jsonAnswer } from '../http/answer.ts'
import { invalid, notFound, refused } from '../http/problem.ts'
import { pageQuerySchema, tenantId, tenantQuerySchema } from '../read/filters.ts'
import { idIn, scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Route } from '../route.ts'
import { apiKeyView } from '../views/api-key-view.ts'
import { apiKeyCreatedSchema, apiKeySchema, pageOf } from '../views/schemas.ts'

const TIME = 'must be a time as in RFC 3339, such as 2027-01-31T12:00:00Z'

const createKey = defineRoute({
  method: 'post',
  path: '/v1/api-keys',
  operationId: 'createApiKey',
  summary: 'Creates an API key in the mode of the key that asks; it is shown this once',
  scopes: ['admin'],
  query: tenantQuerySchema,
  body: z
    .strictObject({
      scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
      data_classes: z.array(z.enum(DATA_CLASSES)).max(DATA_CLASSES.length).optional(),
      tenant_id: tenantId.nullable().optional(),
      expires_at: z
        .string()
        .refine((text) => parseTime(text) !== null, TIME)
        .nullable()
        .optional(),
    })
    .openapi('ApiKeyInput'),
  answers: { 201: { description: 'The key', schema: apiKeyCreatedSchema } },
  problems: [],
  async handle(call) {
    const { context, principal, body, now } = call
    const { tenantId: own } = principal
    const { tenantId: asked } = scopeOf(call)
    // A bound key cannot make a key that sees more than it does itself: not another tenant, and not all of them.
    if (own !== null && body.tenant_id !== undefined && body.tenant_id !== own) throw foreignTenant('/tenant_id')
    const bound = body.tenant_id === undefined ? asked : body.tenant_id
    if (bound === '*') throw invalid([{ path: '/tenant_id', message: 'leave it out for a key that sees all tenants' }])
    const expiresAt = body.expires_at == null ? null : parseTime(body.expires_at)
    if (expiresAt !== null && expiresAt <= now)
      throw invalid([{ path: '/expires_at', message: 'must be in the future' }])
    const { key, row } = createApiKey({
      mode: principal.mode,
      scopes: [...new Set(body.scopes)],
      dataClasses: classesFor(principal, body.scopes, body.data_classes),
      tenantId: bound,
      expiresAt,
      random: context.random,
      now,
    })
    const detail = { ...apiKeyView(row) }
    const audit = auditOf(call, { action: 'api_key.created', target: row.id, tenantId: bound, detail })
    const { configVersion } = await context.store.putApiKey({ key: row, audit })
    context.wake({ configVersion })
    return jsonAnswer(201, { ...apiKeyView(row), key })
  },
})

/** A key can be given what its maker may read, and nothing else. @throws Refused `insufficient_scope` */
function classesFor(maker: Principal, scopes: readonly Scope[], asked: DataClass[] | undefined): DataClass[] {
  const held = (name: DataClass) => maker.dataClasses.includes(name)
  if (asked === undefined) return defaultDataClasses(scopes).filter(held)
  const missing = asked.filter((name) => !held(name))
  if (missing.length === 0) return [...new Set(asked)]
  const errors = [{ path: '/data_classes', message: `this API key does not hold ${missing.join(', ')}` }]
  throw refused('insufficient_scope', `/data_classes: ${errors[0]?.message}.`, 'Ask for classes it holds.', errors)
}

const listKeys = defineRoute({
  method: 'get',
  path: '/v1/api-keys',
  operationId: 'listApiKeys',
  summary: 'Lists API keys of the mode, newest first',
  scopes: ['admin'],
  query: pageQuerySchema,
  answers: { 200: { description: 'A page of keys', schema: pageOf(apiKeySchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const list = { route: 'api-keys', filter: scope }
    const rows = await call.context.store.listApiKeys({ scope, page: pageRequest(call.cursors, list, call.query) })
    return pageAnswer(call.cursors, list, rows, (row) => JSON.stringify(apiKeyView(row)))
  },
})

const revokeKey = defineRoute({
  method: 'delete',
  path: '/v1/api-keys/{key_id}',
  operationId: 'revokeApiKey',
  summary: 'Revokes an API key: the next request with it is refused',
  scopes: ['admin'],
  query: tenantQuerySchema,
  answers: { 204: { description: 'It is revoked' } },
  problems: ['not_found'],
  async handle(call) {
    const { context, authenticator, now } = call
    const [scope, keyId] = [scopeOf(call), idIn(call, 'key_id')]
    const { key } = await context.store.findApiKey({ keyId })
    const audit = auditOf(call, { action: 'api_key.revoked', target: keyId, tenantId: key?.tenantId ?? null })
    const revoked = await context.store.revokeApiKey({ scope, keyId, now, audit })
    authenticator.forget()
    if (!revoked) throw notFound()
    return emptyAnswer(204)
  },
})

export const API_KEY_ROUTES: readonly Route[] = [createKey, listKeys, revokeKey]
