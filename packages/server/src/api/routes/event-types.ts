import { z } from '@hono/zod-openapi'
import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import { registerType, registerVersion } from '../../catalog/register.ts'
import type { TypeDefinition } from '../../catalog/own-type.ts'
import { changeType, mayChangeCatalog, settingsOf } from '../catalog/change-catalog.ts'
import { sampleEvent } from '../catalog/sample-event.ts'
import { sampleQuerySchema, typeInputSchema, typePatchSchema, type TypeInput } from '../catalog/type-input.ts'
import { typeNames, typeSchema, typeSummary, typeSummarySchema, typeView, type TypeView } from '../catalog/type-view.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { pageQuery } from '../read/filters.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import { pageOf } from '../views/schemas.ts'

const READERS = ['read', 'manage', 'publish'] as const

/** Bytes of a request that registers a type: a schema and its examples. */
export const CATALOG_REQUEST_BYTES = 512 * 1024

const { tenant_id: _tenant, ...paging } = pageQuery
const nothing = z.strictObject({})

/** @throws Refused `not_found` */
export function viewOf(
  { context, principal }: Pick<Call<unknown, unknown>, 'context' | 'principal'>,
  type: string,
): TypeView {
  const view = typeView(context.catalogs, principal.mode, type, context.publicUrl)
  if (view === null) throw notFound()
  return view
}

const listTypes = defineRoute({
  method: 'get',
  path: '/v1/event-types',
  operationId: 'listEventTypes',
  summary: 'Lists the catalog: the built-in types first, then your own',
  scopes: READERS,
  query: z.strictObject(paging),
  answers: { 200: { description: 'A page of types, without schemas', schema: pageOf(typeSummarySchema) } },
  problems: ['cursor_invalid'],
  async handle(call) {
    const { context, principal, cursors, query } = call
    const list = { route: 'event-types', filter: { mode: principal.mode } }
    const { limit, after } = pageRequest(cursors, list, query)
    const start = after ?? 0
    const names = typeNames(context.catalogs, principal.mode)
    const rows = names.slice(start, start + limit)
    const next = start + limit < names.length ? start + limit : null
    return pageAnswer(cursors, list, { rows, next }, (name) => JSON.stringify(typeSummary(viewOf(call, name))))
  },
})

const getType = defineRoute({
  method: 'get',
  path: '/v1/event-types/{type}',
  operationId: 'getEventType',
  summary: 'Shows an event type with all its versions',
  scopes: READERS,
  query: nothing,
  answers: { 200: { description: 'The type', schema: typeSchema } },
  problems: ['not_found'],
  async handle(call) {
    return jsonAnswer(200, viewOf(call, call.id('type')))
  },
})

const createType = defineRoute({
  method: 'post',
  path: '/v1/event-types',
  operationId: 'createEventType',
  summary: 'Registers an event type of your own; sent again as it is, it changes nothing',
  scopes: ['manage'],
  query: nothing,
  body: typeInputSchema,
  bodyBytes: CATALOG_REQUEST_BYTES,
  answers: {
    201: { description: 'The new type', schema: typeSchema },
    200: { description: 'It was there already, just like this', schema: typeSchema },
  },
  problems: ['state_conflict', 'quota_exceeded'],
  async handle(call) {
    const { principal, body, now } = call
    mayChangeCatalog(principal)
    const decided = await changeType(call, body.type, (kept) => {
      if (kept !== null && !isBuiltIn(body.type)) return sameAgain(kept, body, now)
      const { fact, run_scoped: runScoped, enforcement, lifecycle, schema, examples } = body
      const input = { version: null, schema, down: null, examples }
      return registerType(body.type, { fact, runScoped, enforcement, lifecycle }, input, now)
    })
    return jsonAnswer(decided.outcome === 'created' ? 201 : 200, viewOf(call, body.type))
  },
})

function isBuiltIn(type: string): boolean {
  return BUILT_IN_TYPES.has(type) || SERVICE_TYPES.has(type)
}

/** A type that is there already: registering it again is no change only where it would be the same. */
function sameAgain(kept: TypeDefinition, body: TypeInput, now: number): ReturnType<typeof registerVersion> {
  const [first] = kept.versions
  const again = registerVersion({ ...kept, versions: first === undefined ? [] : [first] }, inputOf(body), now)
  if (!again.ok) throw isThere(body.type)
  const same =
    again.outcome === 'unchanged' &&
    kept.fact === body.fact &&
    kept.runScoped === body.run_scoped &&
    kept.enforcement === body.enforcement &&
    kept.lifecycle === body.lifecycle
  if (!same) throw isThere(body.type)
  return { ok: true, outcome: 'unchanged', definition: kept }
}

function inputOf({ schema, examples }: TypeInput) {
  return { version: 1, schema, down: null, examples }
}

function isThere(type: string): Error {
  const detail = `There is a type ${type} already, and it is another one.`
  const fix = `Change its settings with PATCH /v1/event-types/${type}, its schema with POST /v1/event-types/${type}/versions.`
  return refused('state_conflict', detail, fix)
}

const patchType = defineRoute({
  method: 'patch',
  path: '/v1/event-types/{type}',
  operationId: 'updateEventType',
  summary: 'Changes how strictly a type is checked; of your own types also what they say',
  scopes: ['manage'],
  query: nothing,
  body: typePatchSchema,
  answers: { 200: { description: 'The type', schema: typeSchema } },
  problems: ['not_found'],
  async handle(call) {
    const { principal, body } = call
    mayChangeCatalog(principal)
    const type = call.id('type')
    const builtIn = isBuiltIn(type)
    if (builtIn && body.fact !== undefined) {
      const errors = [{ path: '/fact', message: 'of a built-in type cannot be changed' }]
      throw refused('invalid_request', `/fact: ${errors[0]?.message}.`, 'Leave it out.', errors)
    }
    await changeType(call, type, (kept) => {
      if (kept === null && !builtIn) throw notFound()
      const { fact, enforcement, lifecycle, ...rest } = settingsOf(kept)
      const definition = {
        ...rest,
        fact: body.fact ?? fact,
        enforcement: body.enforcement ?? enforcement,
        lifecycle: body.lifecycle ?? lifecycle,
      }
      return { ok: true, outcome: 'extended', definition }
    })
    return jsonAnswer(200, viewOf(call, type))
  },
})

const getSample = defineRoute({
  method: 'get',
  path: '/v1/event-types/{type}/sample',
  operationId: 'getEventTypeSample',
  summary: 'Shows an event of a type, as an endpoint that may see everything receives it',
  scopes: READERS,
  query: sampleQuerySchema,
  answers: { 200: { description: 'A sample in the mode of the key', schema: z.looseObject({ event_id: z.string() }) } },
  problems: ['not_found'],
  async handle(call) {
    const sample = sampleEvent(viewOf(call, call.id('type')), call.principal.mode, call.query.version, call.now)
    if (sample === null) throw notFound()
    return jsonAnswer(200, sample)
  },
})

export const EVENT_TYPE_ROUTES: readonly Route[] = [listTypes, getType, createType, patchType, getSample]
