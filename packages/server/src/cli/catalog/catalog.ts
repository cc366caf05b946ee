import type { Command } from 'commander'
import type { CheckOptions, JsonOptions } from './catalog-work.ts'
import { DEFAULT_PATH } from './default-path.ts'
import type { GenerateOptions } from './generate-files.ts'
import { addServerOptions } from './add-server-options.ts'

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
    .action((path: string | undefined, options: CheckOptions) =>
      run(work().then(({ checkCatalog }) => checkCatalog(path ?? DEFAULT_PATH, options))),
    )
  command('push', 'Register a catalog on a server; what is there already stays as it is.')
    .option('--json', 'Print what became of each type as one JSON line.')
    .addHelpText('after', FILES + EXIT_CODES)
    .action((path: string | undefined, options: JsonOptions) =>
      run(work().then(({ pushCatalog }) => pushCatalog(path ?? DEFAULT_PATH, options))),
    )
  command('types', 'Write TypeScript types for emit and receive, from a catalog or from a server.')
    .option('-o, --out <file>', 'Where to, a .ts file; without it, to standard output.')
    .option('--check', 'Write nothing; fail where the file is not what would be written. For your CI.')
    .option('--json', 'Print what was written as one JSON line.')
    .addHelpText('after', GENERATE_EXIT_CODES)
    .action((path: string | undefined, options: GenerateOptions) =>
      run(generating().then(({ makeTypes }) => makeTypes(path, options))),
    )
  command('docs', 'Write a page in Markdown and the JSON Schemas for each type, from a catalog or from a server.')
    .requiredOption('-o, --out <folder>', 'Where to. What was made there earlier and is no longer made is removed.')
    .option('--check', 'Write nothing; fail where a file is not what would be written. For your CI.')
    .option('--json', 'Print what was written as one JSON line.')
    .addHelpText('after', GENERATE_EXIT_CODES)
    .action((path: string | undefined, options: GenerateOptions) =>
      run(generating().then(({ makeDocs }) => makeDocs(path, options))),
    )
}

/** Loaded when they are needed: help and usage errors need not wait for them. */
const work = () => import('./catalog-work.ts')
const generating = () => import('./generate-files.ts')
