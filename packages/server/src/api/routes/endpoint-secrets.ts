import { z } from '@hono/zod-openapi'
import { auditOf } from '../access/audit.ts'
import { changeEndpoint } from '../endpoints/change-endpoint.ts'
import { addSecret, kindsOf, newSecret, shownOnce } from '../endpoints/new-secret.ts'
import { emptyAnswer, jsonAnswer } from '../http/answer.ts'
import { invalid, notFound, refused } from '../http/problem.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint, scopeOf } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'
import { secretView } from '../views/endpoint-view.ts'
import { pageOf, secretCreatedSchema, secretSchema } from '../views/schemas.ts'

/** A day for receivers to take over the new secret; a week at most. */
const DEFAULT_OVERLAP_SECONDS = 86_400
const MAX_OVERLAP_SECONDS = 604_800

const listSecrets = defineRoute({
  method: 'get',
  path: '/v1/endpoints/{endpoint_id}/secrets',
  operationId: 'listSecrets',
  summary: 'Lists the secrets that sign now, newest first, without their values',
  scopes: ['manage'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The secrets', schema: pageOf(secretSchema) } },
  problems: ['not_found'],
  async handle(call) {
    const { secrets } = await findEndpoint(call)
    const active = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > call.now)
    return jsonAnswer(200, { data: active.map(secretView), next_cursor: null })
  },
})

const rotateSecret = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/secrets/rotate',
  operationId: 'rotateSecret',
  summary: 'Makes a new secret, shown this once; the ones before it sign along for the overlap',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: z.strictObject({
    overlap_seconds: z.number().int().min(0).max(MAX_OVERLAP_SECONDS).default(DEFAULT_OVERLAP_SECONDS),
    kind: z
      .enum(['hmac', 'ed25519'])
      .optional()
      .openapi({ description: 'Which secret, where the endpoint signs with both; hmac if left out.' }),
  }),
  bodyOptional: true,
  answers: { 201: { description: 'The new secret', schema: secretCreatedSchema } },
  problems: ['not_found'],
  async handle(call) {
    const { context, body, now } = call
    const endpoint = await findEndpoint(call)
    const kinds = kindsOf(endpoint.signing)
    const kind = body.kind ?? kinds[0] ?? 'hmac'
    if (!kinds.includes(kind)) {
      throw invalid([{ path: '/kind', message: `this endpoint signs with ${endpoint.signing} only` }])
    }
    const secret = await newSecret(kind, { context, owner: endpoint, now })
    const record = {
      action: 'secret.added' as const,
      detail: { id: secret.row.id, kind, overlap_seconds: body.overlap_seconds },
    }
    await changeEndpoint(call, endpoint, addSecret(secret, now + body.overlap_seconds * 1000), record)
    return jsonAnswer(201, { ...secretView(secret.row), ...shownOnce([secret]) })
  },
})

const deleteSecret = defineRoute({
  method: 'delete',
  path: '/v1/endpoints/{endpoint_id}/secrets/{secret_id}',
  operationId: 'deleteSecret',
  summary: 'Revokes a secret now: the next attempt does not sign with it',
  scopes: ['manage'],
  query: tenantQuerySchema,
  answers: { 204: { description: 'It is revoked' } },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { context, now } = call
    const { id: endpointId, tenantId, secrets } = await findEndpoint(call)
    const secretId = call.id('secret_id')
    if (!secrets.some(({ id }) => id === secretId)) throw notFound()
    const change = { kind: 'remove_secret' as const, secretId }
    const detail = { id: secretId }
    const audit = auditOf(call, { action: 'secret.revoked', target: endpointId, tenantId, detail })
    const changed = await context.store.changeEndpoint({ scope: scopeOf(call), endpointId, change, now, audit })
    if (changed === null) {
      const why = 'This is the last secret of its kind that signs, and deliveries are never sent unsigned.'
      throw refused('state_conflict', why, 'Rotate with overlap_seconds 0 to replace it at once.')
    }
    context.wake({ endpointIds: [endpointId], configVersion: changed.configVersion })
    return emptyAnswer(204)
  },
})

export const ENDPOINT_SECRET_ROUTES: readonly Route[] = [listSecrets, rotateSecret, deleteSecret]
