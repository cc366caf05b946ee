import { z } from '@hono/zod-openapi'
import { newId } from '../../core/new-id.ts'
import type { AskedReplay, BulkReplayRow } from '../../store/bulk-replays.ts'
import type { ReadScope } from '../../store/rows.ts'
import { auditOf } from '../access/audit.ts'
import { foreignTenant } from '../access/principal.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { pageQuerySchema, tenantQuerySchema } from '../read/filters.ts'
import { idIn, scopeOf, type Finding } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { readFilter, replayInputSchema, type ReplayInput } from '../replays/replay-input.ts'
import { surveyReplay, surveyReplayTo, type ReplaySurvey } from '../replays/survey-replay.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import {
  bulkReplaySchema,
  bulkReplayView,
  filterView,
  replayPreview,
  replayPreviewSchema,
} from '../views/replay-view.ts'
import { pageOf } from '../views/schemas.ts'

/** Of one tenant, or of all tenants together: each is work that waits in line. */
const MAX_RUNNING = 20

type Asking = Call<{ tenant_id?: string | undefined }, ReplayInput>

const createReplay = defineRoute({
  method: 'post',
  path: '/v1/replays',
  operationId: 'createReplay',
  summary: 'Replays all deliveries that a filter matches, in the background; with dry_run, says what that would be',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: replayInputSchema,
  answers: {
    200: { description: 'With `dry_run`: what would be replayed', schema: replayPreviewSchema },
    202: { description: 'The replay, which has begun', schema: bulkReplaySchema },
  },
  problems: ['not_found', 'quota_exceeded'],
  async handle(call) {
    const { scope, asked, survey } = await prepare(call)
    if (call.body.dry_run) return jsonAnswer(200, replayPreview(survey))
    const { context, principal, now } = call
    const id = newId('replay', principal.mode, now, context.random)
    const detail = {
      filter: filterView(asked, scope.tenantId),
      ...{ to_endpoint_id: asked.toEndpointId, rate_per_second: asked.ratePerSecond, matched: asked.matched },
    }
    const audit = auditOf(call, { action: 'replay.created', target: id, tenantId: scope.tenantId, detail })
    const replay = { id, ...scope, asked, createdAt: now }
    const row = await context.store.createBulkReplay({ replay, maxRunning: MAX_RUNNING, audit })
    if (row !== null) return jsonAnswer(202, bulkReplayView(row))
    const fix = 'Wait until one of them has ended, or cancel one.'
    throw refused('quota_exceeded', `${MAX_RUNNING} replays are running, which is as many as may.`, fix)
  },
})

async function prepare(call: Asking): Promise<{ scope: ReadScope; asked: AskedReplay; survey: ReplaySurvey }> {
  const { body, now } = call
  const { store } = call.context
  const filter = readFilter(body)
  const asked = askedScope(call)
  if (body.to_endpoint_id === undefined) {
    const survey = await surveyReplay(store, asked, filter)
    // What ends from now on is not part of it; nodes whose clocks differ are allowed for.
    const changedUntil = Math.max(now, survey.newest)
    return { scope: asked, survey, asked: { ...fixed(body, survey), filter: { ...filter, changedUntil } } }
  }
  const endpoint = await store.findEndpoint({ scope: scopeOf(call), endpointId: body.to_endpoint_id })
  if (endpoint === null) throw notFound()
  const { id: endpointId, eventTypes, tenantId } = endpoint
  const isOfAll = tenantId === '*'
  if (!isOfAll && asked.tenantId !== null && asked.tenantId !== tenantId) throw notFound()
  const scope = isOfAll ? asked : { ...asked, tenantId }
  const survey = await surveyReplayTo(store, scope, filter, { endpointId, eventTypes })
  return { scope, survey, asked: { ...fixed(body, survey), filter } }
}

function fixed(body: ReplayInput, { upTo, matched, matchedBy }: ReplaySurvey): Omit<AskedReplay, 'filter'> {
  const { rate_per_second: ratePerSecond, to_endpoint_id: toEndpointId = null } = body
  return { toEndpointId, ratePerSecond, upTo, matched, matchedBy }
}

/** What the key may see, and of that the tenant in the filter. @throws Refused */
function askedScope(call: Asking): ReadScope {
  const scope = scopeOf(call)
  const asked = call.body.filter.tenant_id
  if (asked === undefined) return scope
  if (scope.tenantId !== null && scope.tenantId !== asked) throw foreignTenant('/filter/tenant_id')
  return { ...scope, tenantId: asked }
}

const listReplays = defineRoute({
  method: 'get',
  path: '/v1/replays',
  operationId: 'listReplays',
  summary: 'Lists bulk replays, newest first',
  scopes: ['read', 'replay'],
  query: pageQuerySchema,
  answers: { 200: { description: 'A page of replays', schema: pageOf(bulkReplaySchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const scope = scopeOf(call)
    const list = { route: 'replays', filter: [scope] }
    const page = pageRequest(call.cursors, list, call.query)
    const rows = await call.context.store.listBulkReplays({ scope, page })
    return pageAnswer(call.cursors, list, rows, (row) => JSON.stringify(bulkReplayView(row)))
  },
})

const getReplay = defineRoute({
  method: 'get',
  path: '/v1/replays/{replay_id}',
  operationId: 'getReplay',
  summary: 'Shows a bulk replay: how far it is, what it skipped and why, and how the deliveries have ended since',
  scopes: ['read', 'replay'],
  query: tenantQuerySchema,
  answers: { 200: { description: 'The replay', schema: bulkReplaySchema } },
  problems: ['not_found'],
  async handle(call) {
    return jsonAnswer(200, bulkReplayView(await findReplay(call)))
  },
})

const cancelReplay = defineRoute({
  method: 'post',
  path: '/v1/replays/{replay_id}/cancel',
  operationId: 'cancelReplay',
  summary: 'Ends a bulk replay; what it has replayed already goes on',
  scopes: ['replay'],
  query: tenantQuerySchema,
  body: z.strictObject({}),
  bodyOptional: true,
  answers: { 200: { description: 'The replay', schema: bulkReplaySchema } },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { id: replayId, tenantId } = await findReplay(call)
    const { context, now } = call
    const audit = auditOf(call, { action: 'replay.cancelled', target: replayId, tenantId })
    const cancelled = await context.store.cancelBulkReplay({ scope: scopeOf(call), replayId, now, audit })
    const row = cancelled ?? (await findReplay(call))
    if (row.status !== 'cancelled') {
      throw refused(
        'state_conflict',
        'This replay has ended: everything it matched was looked at.',
        'There is nothing to cancel.',
      )
    }
    return jsonAnswer(200, bulkReplayView(row))
  },
})

async function findReplay(call: Finding): Promise<BulkReplayRow> {
  const row = await call.context.store.findBulkReplay({ scope: scopeOf(call), replayId: idIn(call, 'replay_id') })
  if (row === null) throw notFound()
  return row
}

export const REPLAY_ROUTES: readonly Route[] = [createReplay, listReplays, getReplay, cancelReplay]
