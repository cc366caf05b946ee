import type { ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { CATALOG_EXIT, compareCatalogs, goneTypes, invalidTypes, type CheckedType } from './check-catalog.ts'
import { createProgress } from './progress.ts'
import { pushType, type PushedType } from './push-catalog.ts'
import { readCatalog, type TypeInFile } from './read-catalog.ts'
import { printChecked, printInvalid } from './report.ts'
import { findTypes } from './server-catalog.ts'
import { connect, isServerGiven, type ServerOptions } from './server-options.ts'

export type JsonOptions = ServerOptions & { json?: boolean }
export type CheckOptions = JsonOptions & { against?: string }

export async function checkCatalog(path: string, options: CheckOptions): Promise<number> {
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

export async function pushCatalog(path: string, options: JsonOptions): Promise<number> {
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
