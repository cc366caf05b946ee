import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { CatalogEntry } from '../../generate/catalog-entry.ts'
import { renderEventIndex, renderEventPage } from '../../generate/event-page.ts'
import { publishedSchema } from '../../generate/published-schema.ts'
import { renderDeclarations } from '../../generate/type-declarations.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { compareCatalogs, invalidTypes, type CheckedType, type KnownType } from './check-catalog.ts'
import { pushType, type PushedType } from './push-catalog.ts'
import { DEFAULT_PATH, readCatalog, type TypeInFile } from './read-catalog.ts'
import { entryOfFile, entryOfView, findTypes, ownTypes } from './server-catalog.ts'
import { addServerOptions, connect, isServerGiven, type ServerOptions } from './server-options.ts'

const FILES = `
A catalog is a JSON file with one type or an array of them, or a folder of such files:
  [{ "type": "acme.invoice.drafted", "fact": "An invoice was drafted.", "versions": [
     { "version": 1, "schema": { … }, "examples": [{ … }] },
     { "version": 2, "schema": { … }, "examples": [{ … }], "down_conversion": [{ "op": "rename", … }] }]}]`

const EXIT_CODES = `
Exit codes:
  0  nothing that breaks those who receive the events
  1  it could not be done: a file that cannot be read, a server that does not answer
  2  asked for wrongly
  3  breaking: a version that is there would become another one
  4  a type cannot be registered as it is: standard output says where and why`

const BREAKING = 3
const INVALID = 4

type Run = (work: Promise<number>) => Promise<void>
type Output = { out?: string }

export function addCatalogCommand(program: Command, run: Run): void {
  const catalog = program.command('catalog').description('Event types of your own: check, publish, generate.')
  const command = (name: string, description: string) =>
    addServerOptions(catalog.command(name).argument('[path]', `The catalog. (default ${DEFAULT_PATH})`)).description(
      description,
    )
  command('check', 'Say whether a catalog can be registered and what it would change for consumers; for your CI.')
    .option('--against <path>', 'Compare with this catalog instead of a server, such as that of the main branch.')
    .option('--json', 'Print the verdicts as one JSON line.')
    .addHelpText('after', FILES + EXIT_CODES)
    .action((path: string | undefined, options: CheckOptions) => run(check(path ?? DEFAULT_PATH, options)))
  command('push', 'Register a catalog on a server; what is there already stays as it is.')
    .option('--json', 'Print what became of each type as one JSON line.')
    .addHelpText('after', FILES + EXIT_CODES)
    .action((path: string | undefined, options: JsonOptions) => run(push(path ?? DEFAULT_PATH, options)))
  command('types', 'Write TypeScript types for emit and receive, from a catalog or from a server.')
    .option('-o, --out <file>', 'Where to; without it, to standard output.')
    .action((path: string | undefined, options: ServerOptions & Output) => run(writeTypes(path, options)))
  command('docs', 'Write a page in Markdown and the JSON Schemas for each type, from a catalog or from a server.')
    .requiredOption('-o, --out <folder>', 'Where to.')
    .action((path: string | undefined, options: ServerOptions & Output) => run(writeDocs(path, options)))
}

type JsonOptions = ServerOptions & { json?: boolean }
type CheckOptions = JsonOptions & { against?: string }

async function check(path: string, options: CheckOptions): Promise<number> {
  const found = readCatalog(path)
  if (reportInvalid(found, options)) return INVALID
  const known = await knownTypes(found, options)
  const checked = compareCatalogs(found, known)
  if (options.json === true) printLine(JSON.stringify({ types: checked, errors: [] }))
  else printChecked(checked)
  return checked.some(({ verdict }) => verdict === 'breaking') ? BREAKING : EXIT.ok
}

async function knownTypes(types: readonly TypeInFile[], options: CheckOptions): Promise<Map<string, KnownType>> {
  const { against } = options
  if (against !== undefined) return new Map(readCatalog(against).map((type) => [type.type, type]))
  if (!isServerGiven(options)) {
    process.stderr.write('compared with nothing: name a server with --url and --key, or a catalog with --against\n')
    return new Map()
  }
  const names = types.map(({ type }) => type)
  return await findTypes(connect(options).api, names)
}

async function push(path: string, options: JsonOptions): Promise<number> {
  const { api, url } = connect(options)
  const found = readCatalog(path)
  // Everything is looked at before anything is registered.
  if (reportInvalid(found, options)) return INVALID
  const known = await findTypes(
    api,
    found.map(({ type }) => type),
  )
  const breaking = compareCatalogs(found, known).filter(({ verdict }) => verdict === 'breaking')
  if (breaking.length > 0) {
    if (options.json === true) printLine(JSON.stringify({ types: breaking, errors: [] }))
    else printChecked(breaking)
    process.stderr.write(`runbell: nothing was registered: publish what breaks as a new version\n`)
    return BREAKING
  }
  const pushed: PushedType[] = []
  for (const type of found) {
    const result = await pushType(api, type, known.get(type.type) ?? null)
    pushed.push(result)
    if (options.json !== true)
      printLine(`${result.outcome.padEnd(11)}  ${type.type}, version ${result.current_version}`)
  }
  if (options.json === true) printLine(JSON.stringify({ types: pushed, url }))
  return EXIT.ok
}

/** @returns whether something was wrong */
function reportInvalid(types: readonly TypeInFile[], { json }: JsonOptions): boolean {
  const invalid = invalidTypes(types)
  if (invalid.length === 0) return false
  if (json === true) printLine(JSON.stringify({ types: [], errors: invalid }))
  else {
    for (const { type, errors } of invalid) {
      printLine(`invalid      ${type}`)
      for (const { path, message, suggested_fix: fix } of errors)
        printLine(`  ${path} ${message}. ${fix ?? ''}`.trimEnd())
    }
  }
  return true
}

function printChecked(checked: readonly CheckedType[]): void {
  for (const { type, verdict, changes } of checked) {
    printLine(`${verdict.padEnd(11)}  ${type}`)
    for (const { version, path, verdict: one, reason } of changes) {
      printLine(`  version ${version}, ${path === '' ? 'as a whole' : path}: ${one}, ${reason}`)
    }
  }
}

async function entriesFrom(path: string | undefined, options: ServerOptions): Promise<CatalogEntry[]> {
  if (path === undefined && isServerGiven(options)) return (await ownTypes(connect(options).api)).map(entryOfView)
  const found = readCatalog(path ?? DEFAULT_PATH)
  if (reportInvalid(found, {})) throw new CliError('a type cannot be registered as it is', INVALID)
  return found.map(entryOfFile)
}

async function writeTypes(path: string | undefined, options: ServerOptions & Output): Promise<number> {
  const entries = await entriesFrom(path, options)
  const heading = ['Made by `runbell catalog types`; change the catalog, not this file.']
  const text = renderDeclarations(entries, { heading, union: 'OwnEvent', augments: 'OwnEventDataByType' })
  if (options.out === undefined) process.stdout.write(text)
  else write(options.out, text)
  return EXIT.ok
}

async function writeDocs(path: string | undefined, options: ServerOptions & Output): Promise<number> {
  const folder = options.out as string
  const entries = await entriesFrom(path, options)
  const source = 'Made by `runbell catalog docs`; change the catalog, not this file.'
  const schemaLink = (type: string, version: number) => `schemas/${type}/${version}.json`
  write(join(folder, 'README.md'), renderEventIndex(entries, source))
  for (const entry of entries) {
    write(join(folder, `${entry.type}.md`), renderEventPage(entry, { source, schemaLink }))
    for (const { version, schema } of entry.versions) {
      const link = schemaLink(entry.type, version)
      write(join(folder, link), `${JSON.stringify(publishedSchema(schema, link), null, 2)}\n`)
    }
  }
  process.stderr.write(`${folder}: ${entries.length} event types\n`)
  return EXIT.ok
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
