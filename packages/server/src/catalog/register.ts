import type { ProblemDetail } from '@runbell/sdk/contract'
import { readConversion } from '../core/conversion/read-conversion.ts'
import { typeNameProblem } from '../core/catalog/type-name.ts'
import { checkDataSchema } from '../core/schema/check-schema.ts'
import { compareSchemas, type SchemaComparison } from '../core/schema/compare-schemas.ts'
import { canonicalJson } from '../core/schema/schema-types.ts'
import type { SchemaChange } from '../core/schema/schema-change.ts'
import { patternProblem } from './linear-pattern.ts'
import type { TypeDefinition, VersionDefinition } from './own-type.ts'
import { exampleProblems, conversionProblems } from './try-version.ts'

/** What a producer asks for: a version of a type. */
export interface VersionInput {
  /** `null`: as the comparison with the current one says. */
  version: number | null
  schema: Record<string, unknown>
  /** `null`: none was given. */
  down: unknown
  examples: Record<string, unknown>[]
}

export type Registering =
  | { ok: true; outcome: 'created' | 'unchanged' | 'extended' | 'new_version'; definition: TypeDefinition }
  | { ok: false; errors: ProblemDetail[]; fix: string }

/** Bytes of UTF-8 that a schema may have as JSON text. */
const MAX_SCHEMA = 64 * 1024
const MAX_EXAMPLES = 20
const MAX_VERSIONS = 50
export const MAX_TYPES = 1000

/** A type nobody has registered yet. */
export function registerType(
  type: string,
  facts: Pick<TypeDefinition, 'fact' | 'runScoped' | 'enforcement' | 'lifecycle'>,
  input: VersionInput,
  now: number,
): Registering {
  const name = typeNameProblem(type)
  if (name !== null) {
    const error = detail('/type', name.message, name.suggestion === null ? null : `Use "${name.suggestion}".`)
    return refuse([error], 'Choose a name that says what happened.')
  }
  const errors = versionErrors({ ...input, version: 1 })
  if (input.version !== null && input.version !== 1) errors.push(detail('/version', 'is 1 for a new type', null))
  if (input.down !== null) errors.push(detail('/down_conversion', 'is for versions after the first', 'Leave it out.'))
  if (errors.length > 0) return refuse(errors, 'Correct the schema and send it again.')
  const version = versionOf(1, input, null, now)
  return { ok: true, outcome: 'created', definition: { ...facts, versions: [version] } }
}

/** A version of a type that is there: the same again, the current one with more in it, or the next one. */
export function registerVersion(kept: TypeDefinition, input: VersionInput, now: number): Registering {
  const current = kept.versions.at(-1) as VersionDefinition
  const same = kept.versions.find(({ version }) => version === input.version)
  const comparison = compareSchemas((same ?? current).schema, input.schema)
  if (same !== undefined && same !== current) return olderVersion(kept, same, input, comparison)
  const stays = comparison.changes.every(({ in_place: inPlace }) => inPlace)
  if (input.version === current.version + 1 || (input.version === null && !stays)) {
    return nextVersion(kept, current, input, now)
  }
  if (input.version !== null && same === undefined) {
    const message = `is ${current.version}, to extend it, or ${current.version + 1}, for the next one`
    return refuse([detail('/version', message, null)], 'Correct the version.')
  }
  if (!stays) return refuse(notInPlace(comparison), nextFix(current))
  const errors = [...versionErrors(input), ...conversionStays(current, input)]
  if (errors.length > 0) return refuse(errors, 'Correct what is named, and send it again.')
  if (isSame(current, input)) return { ok: true, outcome: 'unchanged', definition: kept }
  const changedAt = comparison.verdict === 'unchanged' ? current.changedAt : now
  const extended = { ...current, schema: input.schema, examples: input.examples, changedAt }
  // What it gains may be called as something was that the version before still has.
  const before = kept.versions.at(-2)
  const wrong = before === undefined ? [] : conversionProblems(extended, before)
  if (wrong.length > 0) return refuse(wrong, nextFix(current))
  return { ok: true, outcome: 'extended', definition: { ...kept, versions: [...kept.versions.slice(0, -1), extended] } }
}

function olderVersion(
  kept: TypeDefinition,
  same: VersionDefinition,
  input: VersionInput,
  { verdict }: SchemaComparison,
): Registering {
  const current = kept.versions.at(-1)?.version ?? 1
  const message = `version ${same.version} is not the current one any more: it cannot change`
  const errors = verdict === 'unchanged' ? conversionStays(same, input) : [detail('/version', message, null)]
  if (errors.length === 0) return { ok: true, outcome: 'unchanged', definition: kept }
  return refuse(errors, `Change version ${current}, or publish the next one.`)
}

/** A version keeps the steps it was published with; they may be left out where it comes again. */
function conversionStays({ version, down }: VersionDefinition, input: VersionInput): ProblemDetail[] {
  if (input.down === null || canonicalJson(input.down) === canonicalJson(down)) return []
  const message = `of version ${version} cannot change: endpoints get what it was published with`
  return [detail('/down_conversion', message, `Leave it out, or publish version ${version + 1}.`)]
}

function nextVersion(kept: TypeDefinition, current: VersionDefinition, input: VersionInput, now: number): Registering {
  const errors = versionErrors(input)
  if (kept.versions.length >= MAX_VERSIONS) errors.push(detail('/version', `a type has at most ${MAX_VERSIONS}`, null))
  const conversion = input.down === null ? null : readConversion(input.down)
  if (conversion === null) {
    const message = `is required: how version ${current.version + 1} becomes version ${current.version}`
    errors.push(detail('/down_conversion', message, 'Declare the steps; an empty list where nothing has to be done.'))
  } else if (!conversion.ok) {
    errors.push(...conversion.errors.map(({ path, message }) => detail(`/down_conversion${path}`, message, null)))
  }
  if (errors.length > 0 || conversion === null || !conversion.ok) return refuse(errors, nextFix(current))
  const next = versionOf(current.version + 1, input, conversion.steps, now)
  const wrong = conversionProblems(next, current)
  if (wrong.length > 0) return refuse(wrong, 'Declare steps that make each example valid for those who are pinned.')
  return { ok: true, outcome: 'new_version', definition: { ...kept, versions: [...kept.versions, next] } }
}

/** Words and examples of a version may change; what is checked may not. */
function isSame({ schema, examples }: VersionDefinition, input: VersionInput): boolean {
  return JSON.stringify([schema, examples]) === JSON.stringify([input.schema, input.examples])
}

/** What a version may not gain while it stays the same one. */
function notInPlace({ changes }: SchemaComparison): ProblemDetail[] {
  const found = changes.filter(({ in_place: inPlace }) => !inPlace)
  return found.map(({ path, reason }: SchemaChange) => ({ path: `/data${path}`, message: reason }))
}

/** Everything that is wrong with a schema and its examples in themselves. */
export function versionErrors({ schema, examples }: VersionInput): ProblemDetail[] {
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA) {
    return [detail('/schema', 'has more than 64 KiB', 'Make it smaller.')]
  }
  const problems = checkDataSchema(schema, { patternProblem })
  if (problems.length > 0) return problems.map(({ path, message, fix }) => detail(`/schema${path}`, message, fix))
  if (examples.length === 0 || examples.length > MAX_EXAMPLES) {
    return [detail('/examples', `are 1 to ${MAX_EXAMPLES} data objects`, 'Add one that a producer would send.')]
  }
  return exampleProblems(schema, examples)
}

function versionOf(
  version: number,
  { schema, examples }: VersionInput,
  down: VersionDefinition['down'],
  now: number,
): VersionDefinition {
  return { version, schema, down, examples, publishedAt: now, changedAt: now, deprecation: null }
}

function nextFix({ version }: VersionDefinition): string {
  return `Publish it as version ${version + 1}, with down_conversion to version ${version}.`
}

function refuse(errors: ProblemDetail[], fix: string): Registering {
  return { ok: false, errors, fix }
}

export function detail(path: string, message: string, fix: string | null): ProblemDetail {
  return { path, message, ...(fix === null ? {} : { suggested_fix: fix }) }
}
