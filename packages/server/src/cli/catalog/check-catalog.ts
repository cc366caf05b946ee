import type { ProblemDetail } from '@runbell/sdk/contract'
import type { TypeDefinition } from '../../catalog/own-type.ts'
import { registerType, registerVersion, type Registering, type VersionInput } from '../../catalog/register.ts'
import { compareSchemas } from '../../core/schema/compare-schemas.ts'
import type { SchemaChange } from '../../core/schema/schema-change.ts'
import type { TypeInFile, VersionInFile } from './read-catalog.ts'

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
  let kept: TypeDefinition | null = null
  for (const [index, version] of type.versions.entries()) {
    const result: Registering = kept === null ? first(type, version) : registerVersion(kept, inputOf(version), 0)
    if (!result.ok) {
      return result.errors.map((error) => ({ ...error, path: `/versions/${index}${error.path}` }))
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

/** A type as it is known elsewhere. */
export interface KnownType {
  versions: { version: number; schema: Record<string, unknown> }[]
}

function compareType({ type, versions }: TypeInFile, known: KnownType): CheckedType {
  const current = known.versions.at(-1)?.version ?? 0
  const changes: CheckedType['changes'] = []
  let breaks = false
  for (const before of known.versions) {
    const after = versions.find(({ version }) => version === before.version)
    if (after === undefined) {
      changes.push({ version: before.version, ...GONE })
      breaks = true
      continue
    }
    const found = compareSchemas(before.schema, after.schema).changes
    changes.push(...found.map((change) => ({ version: before.version, ...change })))
    // Only the current version may gain something, and only what keeps it the same one.
    if (found.some((change) => !change.in_place || before.version !== current)) breaks = true
  }
  const isNewer = (versions.at(-1)?.version ?? 0) > current
  const verdict = breaks ? 'breaking' : isNewer ? 'new_version' : changes.length > 0 ? 'additive' : 'unchanged'
  return { type, verdict, changes }
}

const GONE: SchemaChange = {
  path: '',
  kind: 'version_removed',
  verdict: 'breaking',
  in_place: false,
  reason: 'the version is gone, and endpoints may be pinned to it',
}
