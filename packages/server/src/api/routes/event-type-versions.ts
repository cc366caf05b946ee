import { z } from '@hono/zod-openapi'
import { detail, registerType, registerVersion, type Registering, type VersionInput } from '../../catalog/register.ts'
import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import type { TypeDefinition, VersionDefinition } from '../../catalog/own-type.ts'
import { compareSchemas } from '../../core/schema/compare-schemas.ts'
import { parseTime } from '../../core/rfc3339.ts'
import { changeType, mayChangeCatalog } from '../catalog/change-catalog.ts'
import { pinnedSchema, pinnedTo, type Pinned } from '../catalog/pinned.ts'
import { checkInputSchema, deprecationSchema, pinnedQuerySchema, versionInputSchema } from '../catalog/type-input.ts'
import { schemaOf, typeSchema } from '../catalog/type-view.ts'
import { jsonAnswer } from '../http/answer.ts'
import { notFound, refused } from '../http/problem.ts'
import { scopeOf } from '../read/find.ts'
import { pageAnswer, pageRequest } from '../read/page.ts'
import { defineRoute, type Call, type Route } from '../route.ts'
import { pageOf } from '../views/schemas.ts'
import { CATALOG_REQUEST_BYTES, viewOf } from './event-types.ts'

const nothing = z.strictObject({})

function refuseBuiltIn(type: string): void {
  if (!BUILT_IN_TYPES.has(type) && !SERVICE_TYPES.has(type)) return
  const fix = 'Register a type of your own for what it does not say.'
  throw refused('invalid_request', `${type} is a built-in type: its versions come with Runbell.`, fix)
}

const createVersion = defineRoute({
  method: 'post',
  path: '/v1/event-types/{type}/versions',
  operationId: 'createEventTypeVersion',
  summary: 'Publishes the next version of a type, or adds optional fields to the current one',
  scopes: ['manage'],
  query: nothing,
  body: versionInputSchema,
  bodyBytes: CATALOG_REQUEST_BYTES,
  answers: {
    201: { description: 'The type with its new version', schema: typeSchema },
    200: { description: 'The type; its current version was extended, or is as it was', schema: typeSchema },
  },
  problems: ['not_found', 'quota_exceeded'],
  async handle(call) {
    const { principal, body, now } = call
    mayChangeCatalog(principal)
    const type = call.id('type')
    refuseBuiltIn(type)
    const input: VersionInput = {
      version: body.version ?? null,
      schema: body.schema,
      down: body.down_conversion ?? null,
      examples: body.examples,
    }
    const decided = await changeType(call, type, (kept) => registerVersion(thatIsThere(kept), input, now))
    return jsonAnswer(decided.outcome === 'new_version' ? 201 : 200, viewOf(call, type))
  },
})

function thatIsThere(kept: TypeDefinition | null): TypeDefinition {
  if (kept === null) throw notFound()
  return kept
}

const verdictSchema = z
  .object({
    verdict: z.enum(['new', 'unchanged', 'additive', 'breaking']),
    version: z.int(),
    changes: z.array(
      z.object({
        path: z.string(),
        kind: z.string(),
        verdict: z.enum(['additive', 'breaking']),
        in_place: z.boolean(),
        reason: z.string(),
      }),
    ),
    errors: z.array(z.object({ path: z.string(), message: z.string(), suggested_fix: z.string().optional() })),
  })
  .openapi('EventTypeVerdict')

const checkType = defineRoute({
  method: 'post',
  path: '/v1/event-types/check',
  operationId: 'checkEventType',
  summary: 'Says what a schema would change for consumers, and what registering it would refuse; changes nothing',
  scopes: ['read', 'manage', 'publish'],
  query: nothing,
  body: checkInputSchema,
  bodyBytes: CATALOG_REQUEST_BYTES,
  answers: { 200: { description: 'The verdict, seen from the consumers', schema: verdictSchema } },
  problems: [],
  async handle(call) {
    const { context, principal, body, now } = call
    await context.catalogs.refresh(principal.mode)
    const { type } = body
    const kept = context.catalogs.kept(principal.mode, type)?.definition ?? null
    const current = kept?.versions.at(-1)?.version ?? 1
    const known = schemaOf(context.catalogs, principal.mode, type, current)
    const examples = body.examples ?? kept?.versions.at(-1)?.examples ?? []
    const input: VersionInput = {
      ...{ version: body.version ?? null, schema: body.schema, examples },
      down: body.down_conversion ?? null,
    }
    const tried = tryRegistering(type, kept, input, now)
    const compared = known === null ? null : compareSchemas(known as Record<string, unknown>, body.schema)
    const wrongWithExamples = ({ path }: { path: string }) =>
      body.examples === undefined && path.startsWith('/examples')
    return jsonAnswer(200, {
      verdict: compared?.verdict ?? 'new',
      version: current,
      changes: compared?.changes ?? [],
      errors: tried.ok ? [] : tried.errors.filter((error) => !wrongWithExamples(error)),
    } satisfies z.output<typeof verdictSchema>)
  },
})

function tryRegistering(type: string, kept: TypeDefinition | null, input: VersionInput, now: number): Registering {
  if (kept !== null && kept.versions.length > 0) return registerVersion(kept, input, now)
  const facts = { fact: 'Checked.', runScoped: false, enforcement: 'enforce', lifecycle: 'warn' } as const
  return registerType(type, facts, input, now)
}

const PINNED_AT_ONCE = 100

const deprecateVersion = defineRoute({
  method: 'post',
  path: '/v1/event-types/{type}/deprecate',
  operationId: 'deprecateEventTypeVersion',
  summary: 'Says when a version is refused from producers, and lists the endpoints that are pinned to it',
  scopes: ['manage'],
  query: nothing,
  body: deprecationSchema,
  answers: {
    200: {
      description: 'The type, and the first endpoints pinned to the version',
      schema: typeSchema.extend({ pinned: pageOf(pinnedSchema) }),
    },
  },
  problems: ['not_found'],
  async handle(call) {
    const { principal, body, now, cursors } = call
    mayChangeCatalog(principal)
    const type = call.id('type')
    refuseBuiltIn(type)
    const retiredAt = parseTime(body.retires_at) ?? 0
    const note = body.note ?? null
    await changeType(call, type, (kept) =>
      deprecated(thatIsThere(kept), { version: body.version, retiredAt, note, now }),
    )
    const page = await pinnedTo(call, type, body.version, { limit: PINNED_AT_ONCE, after: null })
    const list = pinnedList(call, type, body.version)
    const next_cursor = page.next === null ? null : cursors.encode(list, page.next)
    return jsonAnswer(200, { ...viewOf(call, type), pinned: { data: page.rows, next_cursor } })
  },
})

function deprecated(
  kept: TypeDefinition,
  asked: { version: number; retiredAt: number; note: string | null; now: number },
): Registering {
  const { now, note, retiredAt } = asked
  const wrong = (path: string, message: string, fix: string): Registering => ({
    ...{ ok: false, errors: [detail(path, message, null)], fix },
  })
  const found = kept.versions.find(({ version }) => version === asked.version)
  if (found === undefined) return wrong('/version', 'is no version of this type', 'See the versions it has.')
  if (found === kept.versions.at(-1)) {
    return wrong('/version', 'is the current version', 'Publish the next version first.')
  }
  if (retiredAt <= now) return wrong('/retires_at', 'must be in the future', 'Leave producers time to move.')
  const deprecation = { deprecatedAt: found.deprecation?.deprecatedAt ?? now, retiredAt, note }
  const versions = kept.versions.map((one): VersionDefinition => (one === found ? { ...one, deprecation } : one))
  return { ok: true, outcome: 'extended', definition: { ...kept, versions } }
}

function pinnedList(call: Call<{ tenant_id?: string | undefined }, unknown>, type: string, version: number) {
  return { route: 'pinned', filter: [scopeOf(call), type, version] }
}

const listPinned = defineRoute({
  method: 'get',
  path: '/v1/event-types/{type}/pinned',
  operationId: 'listPinnedEndpoints',
  summary: 'Lists the endpoints that receive a type in a version',
  scopes: ['read', 'manage'],
  query: pinnedQuerySchema,
  answers: {
    200: { description: 'A page of endpoints; it may be shorter than the limit', schema: pageOf(pinnedSchema) },
  },
  problems: ['not_found', 'cursor_invalid'],
  async handle(call) {
    const { query, cursors } = call
    const type = call.id('type')
    const version = query.version ?? viewOf(call, type).current_version
    const list = pinnedList(call, type, version)
    const page = await pinnedTo(call, type, version, pageRequest(cursors, list, query))
    return pageAnswer(cursors, list, page, (row: Pinned) => JSON.stringify(row))
  },
})

export const EVENT_TYPE_VERSION_ROUTES: readonly Route[] = [createVersion, checkType, deprecateVersion, listPinned]
