import { isDeepStrictEqual } from 'node:util'
import type { ProblemDetail } from '@runbell/sdk/contract'
import { typeInputSchema } from '../../api/catalog/type-input.ts'
import type { TypeDefinition } from '../../catalog/own-type.ts'
import { registerType, registerVersion, type Registering, type VersionInput } from '../../catalog/register.ts'
import { compareSchemas } from '../../core/schema/compare-schemas.ts'
import type { SchemaChange } from '../../core/schema/schema-change.ts'
import type { TypeInFile, VersionInFile } from './read-catalog.ts'

/** What the commands of a catalog end with, besides what every command does; `--help` documents them. */
export const CATALOG_EXIT = {
  /** With `--check`: what is on disk is not what would be made. */
  outOfDate: 1,
  breaking: 3,
  invalid: 4,
} as const

/** What a catalog says, held against what is registered or was before. */
export interface CheckedType {
  type: string
  /** `breaking`: consumers of a version that is there would get what they do not expect. */
  verdict: 'new' | 'unchanged' | 'additive' | 'new_version' | 'breaking'
  changes: (SchemaChange & { version: number })[]
}

/** What is wrong with a type in itself. */
export interface InvalidType {
  type: string
  errors: ProblemDetail[]
}

/** Registers a catalog nowhere, as a server would: names, schemas, examples, conversions. */
export function invalidTypes(types: readonly TypeInFile[]): InvalidType[] {
  return types.flatMap((type) => {
    const errors = errorsIn(type)
    return errors.length === 0 ? [] : [{ type: type.type, errors }]
  })
}

function errorsIn(type: TypeInFile): ProblemDetail[] {
  const fact = typeInputSchema.shape.fact.safeParse(type.fact)
  if (!fact.success) return fact.error.issues.map(({ message }) => ({ path: '/fact', message }))
  let kept: TypeDefinition | null = null
  for (const [index, version] of type.versions.entries()) {
    const result: Registering = kept === null ? first(type, version) : registerVersion(kept, inputOf(version), 0)
    if (!result.ok) {
      const at = (path: string) => (path === '/type' ? path : `/versions/${index}${path}`)
      return result.errors.map((error) => ({ ...error, path: at(error.path) }))
    }
    kept = result.definition
  }
  return []
}

function first({ type, fact, ...settings }: TypeInFile, version: VersionInFile): Registering {
  const facts = {
    fact,
    runScoped: settings.run_scoped ?? false,
    enforcement: settings.enforcement ?? 'enforce',
    lifecycle: settings.lifecycle ?? 'warn',
  } as const
  return registerType(type, facts, inputOf(version), 0)
}

function inputOf({ version, schema, down_conversion: down, examples }: VersionInFile): VersionInput {
  return { version, schema, down: down ?? null, examples }
}

/** @param before the same types as they are registered, or were; a type that is not among them is new */
export function compareCatalogs(types: readonly TypeInFile[], before: ReadonlyMap<string, KnownType>): CheckedType[] {
  return types.map((type) => {
    const known = before.get(type.type)
    return known === undefined ? { type: type.type, verdict: 'new', changes: [] } : compareType(type, known)
  })
}

/** The types that a catalog no longer has. On a server there may be types of other catalogs: there, nobody can tell. */
export function goneTypes(types: readonly TypeInFile[], before: ReadonlyMap<string, KnownType>): CheckedType[] {
  const there = new Set(types.map(({ type }) => type))
  const gone = [...before].filter(([type]) => !there.has(type))
  return gone.map(([type, { versions }]) => ({
    type,
    verdict: 'breaking',
    changes: [{ version: versions.at(-1)?.version ?? 1, ...asAWhole('type_removed', TYPE_GONE) }],
  }))
}

/** A type as it is known elsewhere. */
export interface KnownType {
  run_scoped?: boolean | undefined
  versions: {
    version: number
    schema: Record<string, unknown>
    down_conversion?: readonly unknown[] | null | undefined
  }[]
}

function compareType(type: TypeInFile, known: KnownType): CheckedType {
  const current = known.versions.at(-1)?.version ?? 0
  const changes = known.versions.flatMap((before) => {
    const after = type.versions.find(({ version }) => version === before.version)
    const found = compareVersion(before, after, before.version === current)
    return found.map((change) => ({ version: before.version, ...change }))
  })
  if ((known.run_scoped ?? false) !== (type.run_scoped ?? false)) {
    changes.push({ version: current, ...asAWhole('run_scoped_changed', SCOPE_CHANGED) })
  }
  const breaks = changes.some((change) => !change.in_place)
  const isNewer = (type.versions.at(-1)?.version ?? 0) > current
  const verdict = breaks ? 'breaking' : isNewer ? 'new_version' : changes.length > 0 ? 'additive' : 'unchanged'
  return { type: type.type, verdict, changes }
}

function compareVersion(
  before: KnownType['versions'][number],
  after: VersionInFile | undefined,
  isCurrent: boolean,
): SchemaChange[] {
  if (after === undefined) return [asAWhole('version_removed', VERSION_GONE)]
  const found = compareSchemas(before.schema, after.schema).changes
  // Only the current version may gain something, and only what keeps it the same one.
  const changes = isCurrent ? found : found.map((change) => ({ ...change, in_place: false }))
  const [old, fresh] = [before.down_conversion ?? null, after.down_conversion ?? null]
  return isDeepStrictEqual(old, fresh) ? changes : [...changes, asAWhole('down_conversion_changed', CONVERSION_CHANGED)]
}

const TYPE_GONE = 'the type is gone, and endpoints may be subscribed to it'
const VERSION_GONE = 'the version is gone, and endpoints may be pinned to it'
const CONVERSION_CHANGED = 'a version keeps the down_conversion it was published with'
const SCOPE_CHANGED = 'whether its events belong to a run cannot change: consumers rely on run_id and sequence'

function asAWhole(kind: string, reason: string): SchemaChange {
  return { path: '', kind, verdict: 'breaking', in_place: false, reason }
}
