import { isSchemaObject } from '../core/schema/schema-problem.ts'
import { currentOf, type CatalogEntry, type CatalogVersion } from './catalog-entry.ts'
import { membersOf, oneLine, typeOf, type DeclaredSchema } from './declared-type.ts'

export interface DeclarationOptions {
  /** First lines, as comments. */
  heading: readonly string[]
  /** Name of the union of all events. */
  union: string
  /** The interface of the SDK that learns of the data; `null`: none, because it knows these types already. */
  augments: 'OwnEventDataByType' | null
}

/**
 * TypeScript declarations of a catalog: an interface for the data of each version, the data by type in its current version,
 * and all events as a union that `type` and `schema_version` tell apart.
 */
export function renderDeclarations(entries: readonly CatalogEntry[], options: DeclarationOptions): string {
  const names = new Names()
  const versions = entries.flatMap((entry) =>
    entry.versions.map((version) => ({ entry, version, name: names.take(`${pascal(entry.type)}V${version.version}`) })),
  )
  const nameOf = ({ type }: CatalogEntry, { version }: CatalogVersion): string =>
    versions.find((one) => one.entry.type === type && one.version.version === version)?.name ?? 'unknown'
  const dataOf = entries.map((entry) => `  ${quoted(entry.type)}: ${nameOf(entry, currentOf(entry))}\n`).join('')
  const parts = [
    `${options.heading.map((line) => `// ${oneLine(line)}`).join('\n')}\n`,
    `import type { Envelope } from '@runbell/sdk/contract'\n`,
    ...versions.map(({ entry, version, name }) => interfaceOf(entry, version, name, names)),
    `/** The data of each type, in its current version. */\nexport interface ${options.union}Data {\n${dataOf}}\n`,
    unionOf(options.union, versions),
  ]
  if (options.augments !== null) {
    parts.push(
      `/** The current version of each type: for the option \`schemaVersions\` of \`new Runbell()\`. */
export const SCHEMA_VERSIONS = {
${entries.map((entry) => `  ${quoted(entry.type)}: ${currentOf(entry).version},\n`).join('')}} as const
`,
    )
    const scoped = entries.filter(({ runScoped }) => runScoped).map(({ type }) => `    ${quoted(type)}: true\n`)
    const ofRuns = scoped.length === 0 ? '' : `  interface OwnRunScopedTypes {\n${scoped.join('')}  }\n`
    parts.push(
      `declare module '@runbell/sdk/catalog' {
  interface ${options.augments} extends ${options.union}Data {}
${ofRuns}}
`,
    )
  }
  return parts.join('\n')
}

function interfaceOf(entry: CatalogEntry, { version, schema }: CatalogVersion, name: string, names: Names): string {
  const definitions = isSchemaObject(schema['$defs']) ? Object.entries(schema['$defs']) : []
  const named = new Map(definitions.map(([key]) => [key, names.take(`${name}${pascal(key)}`)]))
  const declared: DeclaredSchema = { root: schema, nameOf: (key) => named.get(key) ?? 'unknown' }
  const inner = definitions.map(
    ([key, definition]) => `\nexport type ${declared.nameOf(key)} = ${typeOf(definition, declared)}\n`,
  )
  const about = `/** ${oneLine(entry.fact)} \`${entry.type}\`, version ${version}. */\n`
  const hasFields = isSchemaObject(schema['properties']) && Object.keys(schema['properties']).length > 0
  const body = hasFields
    ? `export interface ${name} ${membersOf(schema, declared)}\n`
    : `export type ${name} = ${typeOf(schema, declared)}\n`
  return about + body + inner.join('')
}

interface Named {
  entry: CatalogEntry
  version: CatalogVersion
  name: string
}

function unionOf(union: string, versions: readonly Named[]): string {
  const options = versions.map(({ entry, version, name }) => {
    const joins = entry.runScoped ? ' & { run_id: string; sequence: number }' : ''
    return `\n  | (Envelope<${quoted(entry.type)}, ${name}> & { schema_version: ${version.version} }${joins})`
  })
  const all = options.length === 0 ? ' never' : options.join('')
  return `/** Any of these events, told apart by \`type\` and \`schema_version\`. */\nexport type ${union} =${all}\n`
}

/** Two types may become the same name: the later one gets a number. */
class Names {
  readonly #taken = new Set<string>()

  take(name: string): string {
    let free = name
    for (let count = 2; this.#taken.has(free); count++) free = `${name}_${count}`
    this.#taken.add(free)
    return free
  }
}

function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Za-z]/.test(joined) ? joined : `T${joined}`
}

function quoted(type: string): string {
  return `'${type.replaceAll(/[^A-Za-z0-9._]/g, '')}'`
}
