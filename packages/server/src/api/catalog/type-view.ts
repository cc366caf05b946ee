import { z } from '@hono/zod-openapi'
import { BUILT_IN_TYPES, SERVICE_TYPES, type EventType } from '@runbell/sdk/catalog'
import type { Mode } from '@runbell/sdk/contract'
import type { Catalogs, KeptType } from '../../catalog/catalogs.ts'
import { DEFAULT_SETTINGS } from '../../catalog/contracts.ts'
import type { VersionDefinition } from '../../catalog/own-type.ts'
import { optionalTimeView } from '../views/time.ts'

const time = z.string().openapi({ format: 'date-time' }).nullable()

/** A version as a list shows it: what it is and until when, not what is in it. */
const versionSummary = {
  version: z.int(),
  schema_url: z.string(),
  published_at: time,
  changed_at: time,
  deprecated_at: time,
  retires_at: time,
  note: z.string().nullable(),
}

const facts = {
  type: z.string(),
  origin: z.enum(['agent', 'service', 'own']),
  fact: z.string(),
  run_scoped: z.boolean(),
  enforcement: z.enum(['enforce', 'warn']),
  lifecycle: z.enum(['warn', 'reject']),
  current_version: z.int(),
  created_at: time,
  updated_at: time,
}

export const typeSummarySchema = z
  .object({ ...facts, versions: z.array(z.object(versionSummary)) })
  .openapi('EventTypeSummary')

const versionSchema = z.object({
  ...versionSummary,
  schema: z.looseObject({}),
  down_conversion: z.array(z.looseObject({ op: z.string() })).nullable(),
  examples: z.array(z.looseObject({})),
})

export const typeSchema = z.object({ ...facts, versions: z.array(versionSchema) }).openapi('EventType')

export type TypeView = z.output<typeof typeSchema>
type VersionView = z.output<typeof versionSchema>

/** The built-in types and the service's own, in the order of the catalog. */
const BUILT_IN = new Map([...BUILT_IN_TYPES, ...SERVICE_TYPES])

/** Where a schema is served. */
export function schemaUrl(base: string, type: string, version: number): string {
  return `${base}/schemas/${type}/${version}.json`
}

/** A type of the catalog; `null`: there is none of this name. */
export function typeView(catalogs: Catalogs, mode: Mode, type: string, base: string): TypeView | null {
  const kept = catalogs.kept(mode, type)
  const builtIn = BUILT_IN.get(type)
  if (builtIn !== undefined) return builtInView(builtIn, kept, mode, base)
  return kept === null ? null : ownView(kept, base)
}

/** Every type: the built-in ones, then a producer's own in the order in which they were registered. */
export function typeNames(catalogs: Catalogs, mode: Mode): string[] {
  const own = catalogs.keptTypes(mode).filter(({ type }) => !BUILT_IN.has(type))
  const order = (one: KeptType, other: KeptType) => one.createdAt - other.createdAt || (one.type < other.type ? -1 : 1)
  return [...BUILT_IN.keys(), ...own.toSorted(order).map(({ type }) => type)]
}

/** A version's schema; `null`: there is no such type or version. */
export function schemaOf(catalogs: Catalogs, mode: Mode, type: string, version: number): object | null {
  const versions = BUILT_IN.get(type)?.versions ?? catalogs.kept(mode, type)?.definition.versions ?? []
  return versions.find((one) => one.version === version)?.schema ?? null
}

/** Without what makes it long. */
export function typeSummary({ versions, ...view }: TypeView): z.output<typeof typeSummarySchema> {
  return {
    ...view,
    versions: versions.map(({ schema: _schema, down_conversion: _down, examples: _examples, ...version }) => version),
  }
}

function builtInView(builtIn: EventType, kept: KeptType | null, mode: Mode, base: string): TypeView {
  const { type, fact, runScoped, versions, samples } = builtIn
  const { enforcement, lifecycle } = kept?.definition ?? DEFAULT_SETTINGS
  return {
    type,
    origin: SERVICE_TYPES.has(type) ? 'service' : 'agent',
    fact,
    run_scoped: runScoped,
    enforcement,
    lifecycle,
    current_version: versions.at(-1)?.version ?? 1,
    created_at: null,
    updated_at: optionalTimeView(kept?.updatedAt ?? null),
    versions: versions.map(({ version, schema }) => ({
      version,
      schema_url: schemaUrl(base, type, version),
      ...{ published_at: null, changed_at: null, deprecated_at: null, retires_at: null, note: null },
      schema: { ...schema },
      down_conversion: null,
      examples: [samples[mode].data as Record<string, unknown>],
    })),
  }
}

function ownView({ type, definition, createdAt, updatedAt }: KeptType, base: string): TypeView {
  const { fact, runScoped, enforcement, lifecycle, versions } = definition
  return {
    type,
    origin: 'own',
    fact,
    run_scoped: runScoped,
    enforcement,
    lifecycle,
    current_version: versions.at(-1)?.version ?? 1,
    created_at: optionalTimeView(createdAt),
    updated_at: optionalTimeView(updatedAt),
    versions: versions.map((version) => versionView(version, schemaUrl(base, type, version.version))),
  }
}

function versionView(version: VersionDefinition, url: string): VersionView {
  const { deprecation, down } = version
  return {
    version: version.version,
    schema_url: url,
    published_at: optionalTimeView(version.publishedAt),
    changed_at: optionalTimeView(version.changedAt),
    deprecated_at: optionalTimeView(deprecation?.deprecatedAt ?? null),
    retires_at: optionalTimeView(deprecation?.retiredAt ?? null),
    note: deprecation?.note ?? null,
    schema: version.schema,
    down_conversion: down === null ? null : down.map((step) => ({ ...step })),
    examples: version.examples,
  }
}
