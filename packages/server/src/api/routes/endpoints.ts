import type { Warning } from '@runbell/sdk/contract'
import { newId } from '../../core/new-id.ts'
import { auditOf } from '../access/audit.ts'
import { foreignTenant, type Principal } from '../access/principal.ts'
import { changeEndpoint, exceedsTenant } from '../endpoints/change-endpoint.ts'
import { checkPrefix, checkUrl, sealHeaders } from '../endpoints/endpoint-checks.ts'
import { checkKind } from '../endpoints/kind-rules.ts'
import { checkFilter } from '../endpoints/endpoint-filter.ts'
import { endpointInputSchema, endpointPatchSchema, type EndpointPatchInput } from '../endpoints/endpoint-input.ts'
import { newEndpointRow } from '../endpoints/new-endpoint.ts'
import { pinsFor } from '../endpoints/schema-pins.ts'
import { addSecret, kindsOf, newSecrets, shownOnce } from '../endpoints/new-secret.ts'
import { emptyAnswer, jsonAnswer } from '../http/answer.ts'
import { invalid, refused } from '../http/problem.ts'
import { pageQuerySchema, tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint, scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import type { EndpointPatch, EndpointRow, SecretRow } from '../../store/rows.ts'
import { endpointView } from '../views/endpoint-view.ts'
import { endpointCreatedSchema, endpointSchema, pageOf } from '../views/schemas.ts'

const createEndpoint = defineRoute({
  method: 'post',
  path: '/v1/endpoints',
  operationId: 'createEndpoint',
  summary: 'Creates an endpoint; its secret is shown this once',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: endpointInputSchema,
  answers: { 201: { description: 'The endpoint', schema: endpointCreatedSchema } },
  problems: ['url_not_allowed', 'header_not_allowed', 'quota_exceeded'],
  async handle(call) {
    const { context, principal, body, query, now } = call
    const tenantId = tenantToCreateFor(principal, body.tenant_id ?? query.tenant_id)
    checkKind(body.kind, body)
    const url = body.kind === 'http' ? checkUrl(context.urls, requiredUrl(body.url)) : null
    const { mode } = principal
    const owner = { id: newId('endpoint', mode, now, context.random), tenantId, mode }
    checkPrefix(body.header_prefix, body.headers)
    const { warnings } = checkFilter(context.catalogs.of(mode), body.event_types, body.filter)
    const headers = await sealHeaders(context.vault, owner, body.headers)
    const secrets = await newSecrets(kindsOf(body.signing), { context, owner, now })
    const endpoint = newEndpointRow(body, {
      ...owner,
      headers,
      url,
      now,
      schemaVersions: pinsFor(context.catalogs.of(mode), body.event_types, null, body.schema_versions),
      defaults: context.defaults,
      secrets: secrets.map(({ row }) => row),
    })
    const { endpointsPerTenant: maxPerTenant } = context.limits
    const detail = onRecord(body, url)
    const audit = auditOf(call, { action: 'endpoint.created', target: endpoint.id, tenantId, detail })
    const created = await context.store.createEndpoint({ endpoint, maxPerTenant, audit })
    if (created === null) {
      const why = `A tenant may have at most ${maxPerTenant} endpoints.`
      throw refused('quota_exceeded', why, 'Delete endpoints that are not used, or raise the limit.')
    }
    if (created.kind === 'too_much') throw exceedsTenant()
    context.wake({ configVersion: created.configVersion })
    return jsonAnswer(201, { ...endpointView(endpoint), ...shownOnce(secrets), ...noted(warnings) })
  },
})

/** @throws Refused `invalid_request` */
function requiredUrl(url: string | undefined): string {
  if (url === undefined) throw invalid([{ path: '/url', message: 'is required' }])
  return url
}

/** Only where there is something to say. */
function noted(warnings: readonly Warning[]): { warnings?: readonly Warning[] } {
  return warnings.length === 0 ? {} : { warnings }
}

/** What was asked for, without the values of headers, which may be secrets. */
function onRecord(body: EndpointPatchInput, url: string | null | undefined): Record<string, unknown> {
  const { headers, ...asked } = body
  return {
    ...asked,
    ...(url === undefined || url === null ? {} : { url }),
    ...(headers === undefined ? {} : { headers: Object.keys(headers) }),
  }
}

/** A bound key makes endpoints of its own tenant; one for all tenants needs a key that is bound to none (details 10). */
function tenantToCreateFor(principal: Principal, asked: string | undefined): string {
  if (principal.tenantId === null) return asked ?? 'default'
  if (asked !== undefined && asked !== principal.tenantId) throw foreignTenant('/tenant_id')
  return principal.tenantId
}

const listEndpoints = defineRoute({
  method: 'get',
  path: '/v1/endpoints',
  operationId: 'listEndpoints',
  summary: 'Lists endpoints, newest first',
  scopes: ['read', 'manage'],
  query: pageQuerySchema,
  answers: { 200: { description: 'A page of endpoints', schema: pageOf(endpointSchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const list = { route: 'endpoints', filter: scope }
    const rows = await call.context.store.listEndpoints({ scope, page: pageRequest(call.cursors, list, call.query) })
    return pageAnswer(call.cursors, list, rows, (row) => JSON.stringify(endpointView(row)))
  },
})

const getEndpoint = defineRoute({
  method: 'get',
  path: '/v1/endpoints/{endpoint_id}',
  operationId: 'getEndpoint',
  summary: 'Shows an endpoint',
  scopes: ['read', 'manage'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The endpoint', schema: endpointSchema } },
  problems: ['not_found'],
  async handle(call) {
    return jsonAnswer(200, endpointView(await findEndpoint(call)))
  },
})

const patchEndpoint = defineRoute({
  method: 'patch',
  path: '/v1/endpoints/{endpoint_id}',
  operationId: 'updateEndpoint',
  summary: 'Changes an endpoint; a signing scheme it has no secret for gets one, shown this once',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: endpointPatchSchema,
  answers: { 200: { description: 'The endpoint', schema: endpointCreatedSchema } },
  problems: ['not_found', 'url_not_allowed', 'header_not_allowed'],
  async handle(call) {
    const { context, body, now } = call
    const endpoint = await findEndpoint(call)
    checkKind(endpoint.kind, body)
    const patch = await toPatch(call, endpoint)
    const { warnings } = filterAfter(call, endpoint, patch)
    const missing = kindsOf(body.signing ?? endpoint.signing).filter((kind) => !hasSecret(endpoint, kind, now))
    const secrets = await newSecrets(missing, { context, owner: endpoint, now })
    // The secret comes first: at no time is there a scheme without a secret.
    for (const secret of secrets) {
      const detail = { id: secret.row.id, kind: secret.row.kind }
      await changeEndpoint(call, endpoint, addSecret(secret, now), { action: 'secret.added', detail })
    }
    const record = { action: 'endpoint.updated' as const, detail: onRecord(body, patch.url ?? undefined) }
    const changed =
      Object.keys(patch).length === 0
        ? endpoint
        : await changeEndpoint(call, endpoint, { kind: 'patch', patch }, record)
    return jsonAnswer(200, { ...endpointView(changed), ...shownOnce(secrets), ...noted(warnings) })
  },
})

function hasSecret(endpoint: EndpointRow, kind: SecretRow['kind'], now: number): boolean {
  return endpoint.secrets.some(
    (secret) => secret.kind === kind && (secret.expiresAt === null || secret.expiresAt > now),
  )
}

async function toPatch(call: Call<unknown, EndpointPatchInput>, endpoint: EndpointRow): Promise<EndpointPatch> {
  const { body, context } = call
  const patch: EndpointPatch = {}
  if (body.headers !== undefined) {
    patch.headers = await sealHeaders(context.vault, endpoint, body.headers, endpoint.headers)
  }
  if (body.header_prefix !== undefined) patch.headerPrefix = body.header_prefix
  const { headerPrefix, headers } = { ...endpoint, ...patch }
  checkPrefix(headerPrefix, headers)
  if (body.url !== undefined) patch.url = checkUrl(context.urls, body.url)
  if (body.description !== undefined) patch.description = body.description
  if (body.event_types !== undefined) patch.eventTypes = body.event_types
  if (body.filter !== undefined) patch.filter = body.filter
  if (body.timeout_ms !== undefined) patch.timeoutMs = body.timeout_ms
  if (body.max_in_flight !== undefined) patch.maxInFlight = body.max_in_flight
  if (body.rate_limit !== undefined) patch.rateLimit = body.rate_limit
  if (body.retry_schedule !== undefined) patch.retrySchedule = body.retry_schedule
  if (body.signing !== undefined) patch.signing = body.signing
  if (body.data_classes !== undefined) patch.dataClasses = body.data_classes
  if (body.event_types !== undefined || body.schema_versions !== undefined) {
    const { eventTypes, schemaVersions: pins } = endpoint
    const asked = body.schema_versions ?? {}
    const catalog = context.catalogs.of(endpoint.mode)
    patch.schemaVersions = pinsFor(catalog, body.event_types ?? eventTypes, { eventTypes, pins }, asked)
  }
  return patch
}

/** The filter is held against the types, whichever of the two changes. @throws Refused */
function filterAfter({ context }: Call<unknown, unknown>, endpoint: EndpointRow, patch: EndpointPatch) {
  const { eventTypes, filter } = { ...endpoint, ...patch }
  const isNew = patch.filter !== undefined || patch.eventTypes !== undefined
  return checkFilter(context.catalogs.of(endpoint.mode), eventTypes, isNew ? filter : null)
}

const deleteEndpoint = defineRoute({
  method: 'delete',
  path: '/v1/endpoints/{endpoint_id}',
  operationId: 'deleteEndpoint',
  summary: 'Deletes an endpoint; its pending deliveries end as cancelled',
  scopes: ['manage'],
  query: tenantQuerySchema,
  answers: { 204: { description: 'It is deleted' } },
  problems: ['not_found'],
  async handle(call) {
    await changeEndpoint(call, await findEndpoint(call), { kind: 'delete' }, { action: 'endpoint.deleted' })
    return emptyAnswer(204)
  },
})

export const ENDPOINT_ROUTES: readonly Route[] = [
  createEndpoint,
  listEndpoints,
  getEndpoint,
  patchEndpoint,
  deleteEndpoint,
]
