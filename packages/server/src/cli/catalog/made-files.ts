import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CliError } from '../cli-error.ts'

/** Files that are made from a catalog, by their path. */
export type MadeFiles = ReadonlyMap<string, string>

/** Those that say something else than they should, or are not there. */
export function staleFiles(files: MadeFiles): string[] {
  return [...files].filter(([path, content]) => contentOf(path) !== content).map(([path]) => path)
}

/** Files in a folder, by their name from there: of the folder itself, and of those below the folders that are named. */
export function filesIn(folder: string, below: readonly string[]): string[] {
  const own = entriesOf(folder, false)
  return [...own, ...below.flatMap((inner) => entriesOf(join(folder, inner), true).map((name) => `${inner}/${name}`))]
}

/** @throws CliError where one cannot be written */
export function writeFiles(files: MadeFiles, paths: readonly string[]): void {
  for (const path of paths) {
    orRefuse(path, 'written', () => {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, files.get(path) ?? '')
    })
  }
}

export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) orRefuse(path, 'removed', () => rmSync(path, { force: true }))
}

function entriesOf(folder: string, recursive: boolean): string[] {
  const entries = orRefuse(folder, 'read', () => ifThere(() => readdirSync(folder, { recursive, encoding: 'utf8' })))
  return (entries ?? []).map((name) => name.replaceAll('\\', '/')).toSorted()
}

/** `null`: there is no such file. */
export function contentOf(path: string): string | null {
  return orRefuse(path, 'read', () => ifThere(() => readFileSync(path, 'utf8')))
}

function ifThere<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(codeOf(error))) return null
    throw error
  }
}

function orRefuse<Value>(path: string, what: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw new CliError(
      `${path} cannot be ${what} (${codeOf(error)}): check its rights, or choose another place with -o`,
    )
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}
