import type { Command } from 'commander'
import type { ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { CATALOG_EXIT, compareCatalogs, goneTypes, invalidTypes, type CheckedType } from './check-catalog.ts'
import { makeDocs, makeTypes, type GenerateOptions } from './generate-files.ts'
import { createProgress } from './progress.ts'
import { pushType, type PushedType } from './push-catalog.ts'
import { DEFAULT_PATH, readCatalog, type TypeInFile } from './read-catalog.ts'
import { printChecked, printInvalid } from './report.ts'
import { findTypes } from './server-catalog.ts'
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

const GENERATE_EXIT_CODES = `
Exit codes:
  0  done, or with --check up to date
  1  it could not be done, or with --check a file is out of date
  2  asked for wrongly
  4  a type cannot be registered as it is: standard error says where and why`

type Run = (work: Promise<number>) => Promise<void>

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
    .option('-o, --out <file>', 'Where to, a .ts file; without it, to standard output.')
    .option('--check', 'Write nothing; fail where the file is not what would be written. For your CI.')
    .option('--json', 'Print what was written as one JSON line.')
    .addHelpText('after', GENERATE_EXIT_CODES)
    .action((path: string | undefined, options: GenerateOptions) => run(makeTypes(path, options)))
  command('docs', 'Write a page in Markdown and the JSON Schemas for each type, from a catalog or from a server.')
    .requiredOption('-o, --out <folder>', 'Where to. What was made there earlier and is no longer made is removed.')
    .option('--check', 'Write nothing; fail where a file is not what would be written. For your CI.')
    .option('--json', 'Print what was written as one JSON line.')
    .addHelpText('after', GENERATE_EXIT_CODES)
    .action((path: string | undefined, options: GenerateOptions) => run(makeDocs(path, options)))
}

type JsonOptions = ServerOptions & { json?: boolean }
type CheckOptions = JsonOptions & { against?: string }

async function check(path: string, options: CheckOptions): Promise<number> {
  const found = readCatalog(path)
  if (reportInvalid(found, options)) return CATALOG_EXIT.invalid
  const checked = await compared(found, options)
  if (options.json === true) printLine(JSON.stringify({ types: checked, errors: [] }))
  else printChecked(checked)
  return checked.some(({ verdict }) => verdict === 'breaking') ? CATALOG_EXIT.breaking : EXIT.ok
}

async function compared(types: readonly TypeInFile[], options: CheckOptions): Promise<CheckedType[]> {
  const { against } = options
  if (against !== undefined) {
    const before = new Map(readCatalog(against).map((type) => [type.type, type]))
    return [...compareCatalogs(types, before), ...goneTypes(types, before)]
  }
  if (!isServerGiven(options)) {
    process.stderr.write('compared with nothing: name a server with --url and --key, or a catalog with --against\n')
    return compareCatalogs(types, new Map())
  }
  return compareCatalogs(types, await findTypes(connect(options).api, namesOf(types)))
}

async function push(path: string, options: JsonOptions): Promise<number> {
  const { api, url } = connect(options)
  const found = readCatalog(path)
  // Everything is looked at before anything is registered.
  if (reportInvalid(found, options)) return CATALOG_EXIT.invalid
  const known = await findTypes(api, namesOf(found))
  const breaking = compareCatalogs(found, known).filter(({ verdict }) => verdict === 'breaking')
  if (breaking.length > 0) {
    if (options.json === true) printLine(JSON.stringify({ types: breaking, errors: [] }))
    else printChecked(breaking)
    process.stderr.write(`runbell: nothing was registered: publish what breaks as a new version\n`)
    return CATALOG_EXIT.breaking
  }
  const pushed = await pushAll(api, found, known, options)
  if (options.json === true) printLine(JSON.stringify({ types: pushed, url }))
  return EXIT.ok
}

async function pushAll(
  api: ApiClient,
  types: readonly TypeInFile[],
  known: Awaited<ReturnType<typeof findTypes>>,
  { json }: JsonOptions,
): Promise<PushedType[]> {
  const pushed: PushedType[] = []
  const advance = createProgress('pushed', types.length)
  for (const type of types) {
    try {
      pushed.push(await pushType(api, type, known.get(type.type) ?? null))
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      const done = `${pushed.length} of ${types.length} types are as the catalog says`
      throw new CliError(`${type.type}: ${error.message.replace(/\.$/, '')}; ${done}, run it again to go on`)
    }
    const { outcome, current_version: current } = pushed.at(-1) as PushedType
    if (json !== true) printLine(`${outcome.padEnd(11)}  ${type.type}, version ${current}`)
    advance()
  }
  return pushed
}

/** @returns whether something was wrong */
function reportInvalid(types: readonly TypeInFile[], { json }: JsonOptions): boolean {
  const invalid = invalidTypes(types)
  if (invalid.length === 0) return false
  if (json === true) printLine(JSON.stringify({ types: [], errors: invalid }))
  else printInvalid(invalid)
  return true
}

function namesOf(types: readonly TypeInFile[]): string[] {
  return types.map(({ type }) => type)
}
