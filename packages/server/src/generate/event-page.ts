import { compareSchemas } from '../core/schema/compare-schemas.ts'
import { currentOf, type CatalogEntry, type CatalogVersion } from './catalog-entry.ts'
import { cutSample } from './cut-sample.ts'
import { fieldRows, type FieldRow } from './field-rows.ts'
import { code, fenced, text } from './markdown.ts'

export interface PageOptions {
  /** Says where the page comes from, in a comment at its head. */
  source: string
  /** Where the schema of a version is, seen from the page; `null`: it is not linked. */
  schemaLink(type: string, version: number): string | null
}

/** A page in Markdown about one event type: fields, classes, versions, a sample. */
export function renderEventPage(entry: CatalogEntry, options: PageOptions): string {
  const current = currentOf(entry)
  const scope = entry.runScoped
    ? 'Its events belong to a run: they need a `run_id` and get a `sequence`.'
    : entry.type.startsWith('agent.task.')
      ? 'Its events belong to a task: they need a `task_id`.'
      : 'Its events need no `run_id`.'
  const parts = [
    `# \`${entry.type}\``,
    `<!-- ${options.source} -->`,
    `${text(entry.fact)} ${scope}`,
    `## Fields of \`data\``,
    fieldTable(current),
    `## Versions`,
    versionTable(entry, options),
    `## Sample`,
    ...samples(entry, current),
  ]
  return `${parts.join('\n\n')}\n`
}

/** The page that lists all types of a catalog. */
export function renderEventIndex(entries: readonly CatalogEntry[], source: string): string {
  const families = new Map<string, CatalogEntry[]>()
  for (const entry of entries) {
    const family = entry.type.split('.').slice(0, -1).join('.')
    families.set(family, [...(families.get(family) ?? []), entry])
  }
  const tables = [...families].map(([family, members]) => {
    const rows = members.map(
      (entry) => `| [\`${entry.type}\`](${entry.type}.md) | ${currentOf(entry).version} | ${text(entry.fact)} |`,
    )
    return `## \`${family}\`\n\n| type | version | what happened |\n| --- | --- | --- |\n${rows.join('\n')}`
  })
  return `${['# Event types', `<!-- ${source} -->`, ...tables].join('\n\n')}\n`
}

function fieldTable({ schema }: CatalogVersion): string {
  const rows = fieldRows(schema).map((row) => `| ${fieldCells(row).join(' | ')} |`)
  const whole = schema['x-data-class']
  if (rows.length === 0) {
    return `Any object${typeof whole === 'string' ? `, all of it of the class \`${whole}\`` : ''}.`
  }
  return `| field | type | required | class | |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}`
}

function fieldCells({ path, type, required, dataClass, description }: FieldRow): string[] {
  return [code(path), text(type), required ? 'yes' : '', text(dataClass ?? ''), text(description)]
}

/** Whole, and as little of it as any endpoint gets. */
function samples({ sample }: CatalogEntry, { schema, examples }: CatalogVersion): string[] {
  const data = sample?.data ?? examples[0] ?? {}
  const whole =
    sample === null
      ? ['The `data` of one event, as an endpoint that may see everything receives it:', fenced(data)]
      : ['As an endpoint that may see everything receives it:', fenced(sample)]
  const cut = cutSample(schema, data)
  if (cut === null) return whole
  return [...whole, 'An endpoint without grants receives the same event with these instead:', fenced(cut)]
}

function versionTable({ type, versions }: CatalogEntry, { schemaLink }: PageOptions): string {
  return versions
    .map((version, index) => {
      const before = versions[index - 1]
      const link = schemaLink(type, version.version)
      const title = `Version ${version.version}${link === null ? '' : ` ([JSON Schema](${link}))`}`
      const retires = version.retiresAt === null ? '' : `, refused from producers from ${text(version.retiresAt)}`
      return [`- ${title}${retires}`, ...(before === undefined ? [] : changesFrom(before, version))].join('\n')
    })
    .join('\n')
}

function changesFrom(before: CatalogVersion, after: CatalogVersion): string[] {
  const { changes } = compareSchemas(before.schema, after.schema)
  return changes.map(
    ({ path, verdict, reason }) => `  - ${code(path === '' ? '/' : path)}, ${verdict}: ${text(reason)}`,
  )
}
