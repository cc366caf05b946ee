import { join } from 'node:path'
import type { CatalogEntry } from '../../generate/catalog-entry.ts'
import { renderEventIndex, renderEventPage } from '../../generate/event-page.ts'
import { publishedSchema } from '../../generate/published-schema.ts'
import { renderDeclarations } from '../../generate/type-declarations.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { CATALOG_EXIT, invalidTypes } from './check-catalog.ts'
import { contentOf, filesIn, removeFiles, staleFiles, writeFiles, type MadeFiles } from './made-files.ts'
import { DEFAULT_PATH } from './default-path.ts'
import { readCatalog } from './read-catalog.ts'
import { printInvalid } from './report.ts'
import { entryOfFile, entryOfView, ownTypes } from './server-catalog.ts'
import { connect, isServerGiven, type ServerOptions } from './server-options.ts'

export interface GenerateOptions extends ServerOptions {
  out?: string
  check?: boolean
  json?: boolean
}

const TYPES_HEADING = ['Made by `runbell catalog types`; change the catalog, not this file.']
const DOCS_SOURCE = 'Made by `runbell catalog docs`; change the catalog, not this file.'

/** TypeScript types for emit and receive. */
export async function makeTypes(path: string | undefined, options: GenerateOptions): Promise<number> {
  const { out } = options
  if (options.check === true && out === undefined) {
    throw new CliError('--check needs a file to look at: name it with -o', EXIT.usage)
  }
  if (out?.endsWith('.d.ts') === true) {
    throw new CliError(`-o "${out}" holds types alone, and versions are written too: name a .ts file`, EXIT.usage)
  }
  const entries = await entriesFrom(path, options)
  if (entries === null) return CATALOG_EXIT.invalid
  const source = typesSource(entries)
  if (out !== undefined) return finish(new Map([[out, source]]), [], entries, options)
  if (options.json === true) printLine(JSON.stringify({ types: namesOf(entries), source }))
  else process.stdout.write(source)
  return EXIT.ok
}

/** A module of TypeScript with the types of a catalog. */
export function typesSource(entries: readonly CatalogEntry[]): string {
  return renderDeclarations(entries, { heading: TYPES_HEADING, union: 'OwnEvent', augments: 'OwnEventDataByType' })
}

/** A page for each type, an index and JSON Schemas. */
export async function makeDocs(path: string | undefined, options: GenerateOptions): Promise<number> {
  const folder = options.out as string
  const entries = await entriesFrom(path, options)
  if (entries === null) return CATALOG_EXIT.invalid
  const files = new Map([[join(folder, 'README.md'), renderEventIndex(entries, DOCS_SOURCE)]])
  for (const entry of entries) {
    const page = renderEventPage(entry, { source: DOCS_SOURCE, schemaLink })
    files.set(join(folder, `${entry.type}.md`), page)
    for (const { version, schema } of entry.versions) {
      const link = schemaLink(entry.type, version)
      files.set(join(folder, link), `${JSON.stringify(publishedSchema(entry.type, schema, link), null, 2)}\n`)
    }
  }
  return finish(files, leftIn(folder, files), entries, options)
}

function schemaLink(type: string, version: number): string {
  return `schemas/${type}/${version}.json`
}

/** What was made there earlier and nothing makes any more; never a file of somebody's own. */
function leftIn(folder: string, files: MadeFiles): string[] {
  const paths = filesIn(folder, ['schemas']).filter((name) => /^[^/]+\.md$|^schemas\/[^/]+\/\d+\.json$/.test(name))
  return paths.flatMap((name) => {
    const path = join(folder, name)
    const mark = name.endsWith('.md') ? `<!-- ${DOCS_SOURCE} -->` : `"$id": ${JSON.stringify(name)}`
    return !files.has(path) && contentOf(path)?.includes(mark) === true ? [path] : []
  })
}

/** Writes what has changed, or with `--check` says what it is. */
function finish(
  files: MadeFiles,
  left: readonly string[],
  entries: readonly CatalogEntry[],
  { check, json, out }: GenerateOptions,
): number {
  const stale = staleFiles(files)
  if (check !== true) {
    writeFiles(files, stale)
    removeFiles(left)
  }
  const changed = [...stale, ...left]
  if (json === true) printLine(JSON.stringify({ out, types: namesOf(entries), changed }))
  if (check === true && changed.length > 0) {
    throw new CliError(`out of date, run it without --check: ${changed.join(', ')}`, CATALOG_EXIT.outOfDate)
  }
  const became = changed.length === 0 ? 'up to date' : `${changed.length} files changed`
  process.stderr.write(`${out}: ${entries.length} event types, ${became}\n`)
  return EXIT.ok
}

/** From the catalog that is named, else from a server; `null`: it cannot be registered, and that is said. */
async function entriesFrom(path: string | undefined, options: GenerateOptions): Promise<CatalogEntry[] | null> {
  if (path === undefined && isServerGiven(options)) return (await ownTypes(connect(options).api)).map(entryOfView)
  const found = readCatalog(path ?? DEFAULT_PATH)
  const invalid = invalidTypes(found)
  if (invalid.length === 0) return found.map(entryOfFile)
  if (options.json === true) printLine(JSON.stringify({ types: [], errors: invalid }))
  // Standard output is for what is made: `runbell catalog types > own-events.ts`.
  else printInvalid(invalid, (line) => void process.stderr.write(`${line}\n`))
  return null
}

function namesOf(entries: readonly CatalogEntry[]): string[] {
  return entries.map(({ type }) => type)
}
