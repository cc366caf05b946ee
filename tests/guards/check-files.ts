import { posix } from 'node:path'
import type { SourceFile } from './check-imports.ts'
import { readImports } from './read-imports.ts'

const MAX_LINES = 400
/** Names that say nothing about what is inside. */
const EMPTY_NAMES = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc'])
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/** What is wrong with the name of a file of code, or with a folder it is in. */
export function checkName(path: string): string[] {
  const [file = '', ...folders] = path.split('/').reverse()
  const names = [...file.split('.').slice(0, -1), ...folders.filter((folder) => !folder.startsWith('.'))]
  return names.flatMap((name) => {
    if (!KEBAB.test(name)) return [`${path}: ${name} is not in kebab-case`]
    const empty = name.split('-').find((word) => EMPTY_NAMES.has(word))
    return empty === undefined ? [] : [`${path}: a name with "${empty}" does not say what is inside`]
  })
}

/** What a program wrote is as long as what it was made from. */
const GENERATED = /\/test\/generated\//

export function checkLength({ path, text }: SourceFile): string[] {
  if (GENERATED.test(path)) return []
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return lines > MAX_LINES ? [`${path}: ${lines} lines, ${MAX_LINES} at most`] : []
}

/** Test data that lies beside the repository where it is there at all; tests that read it skip where it is not. */
const TEST_DATA = '../shared/'
const MAY_READ_TEST_DATA = /\.test\.ts$|\/test\//

/** A path that climbs out of the repository works on one machine only. */
export function checkReach({ path, text }: SourceFile): string[] {
  const urls = [...text.matchAll(/new URL\(\s*['"`](?<up>(?:\.\.\/)+[^'"`\n]*)['"`]/g)]
  const imports = readImports(text).map(({ specifier }) => specifier ?? '')
  return [...urls.map(({ groups }) => groups?.['up'] ?? ''), ...imports].flatMap((up) => {
    const place = posix.join(posix.dirname(path), up)
    const isOutside = up.startsWith('.') && place.startsWith('..')
    const isTestData = place.startsWith(TEST_DATA) && MAY_READ_TEST_DATA.test(path)
    return isOutside && !isTestData ? [`${path}: ${up} is outside the repository`] : []
  })
}

/** Places that exist on the machine of whoever wrote the file. */
export function checkPlaces({ path, text }: SourceFile, places: readonly string[]): string[] {
  return places
    .filter((place) => new RegExp(`(?<![\\w.-])${place.replaceAll('.', '\\.')}`).test(text))
    .map((place) => `${path}: names ${place}, which only exists on somebody's machine`)
}
