import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SourceFile } from './check-imports.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What `.gitignore` names, and git's own folder. */
const IGNORED = new Set(['node_modules', 'dist', 'coverage', '.runbell', '.git', 'results'])

/** The paths of every file that is or could be committed, relative to the root. */
export function listFiles(folder = ''): string[] {
  return readdirSync(ROOT + folder, { withFileTypes: true }).flatMap((entry) => {
    if (IGNORED.has(entry.name) || entry.name.endsWith('.tsbuildinfo')) return []
    const path = folder + entry.name
    return entry.isDirectory() ? listFiles(`${path}/`) : [path]
  })
}

export function readText(path: string): string {
  return readFileSync(ROOT + path, 'utf8')
}

/** Every committed text file up to a megabyte. */
export function readSources(keep: (path: string) => boolean): SourceFile[] {
  return listFiles()
    .filter((path) => keep(path) && statSync(ROOT + path).size <= 1024 * 1024)
    .map((path) => ({ path, text: readText(path) }))
}
