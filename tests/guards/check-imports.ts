import { posix } from 'node:path'
import { COMPOSITION, DOORS, EXCEPTIONS, TEST_CODE, ZONES, type Zone } from './import-zones.ts'
import { readImports, type ImportOfFile } from './read-imports.ts'

/** A file of the repository; `path` is relative to its root, with `/`. */
export interface SourceFile {
  path: string
  text: string
}

const SDK = /^@runbell\/sdk(?:\/(?<part>[a-z-]+))?$/

/** One sentence for every import that the zones do not allow. */
export function checkImports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^packages\/[^/]+\/src\//.test(path) && !TEST_CODE.test(path))
    .flatMap(({ path, text }) =>
      readImports(text).flatMap((imported) => {
        const wrong = checkImport(path, imported)
        return wrong === null ? [] : [`${path}: ${wrong}`]
      }),
    )
}

function checkImport(path: string, { specifier, typeOnly }: ImportOfFile): string | null {
  const isComposition = COMPOSITION.test(path)
  const zone = ZONES.find(({ files }) => files.test(path))
  if (!isComposition && zone === undefined) return 'belongs to no zone; name it in tests/guards/import-zones.ts'
  if (specifier === null) return isComposition ? null : 'imports something that only shows when it runs'
  if (specifier.startsWith('.')) return checkFile(path, posix.join(posix.dirname(path), specifier), zone, typeOnly)
  const sdk = SDK.exec(specifier)
  if (sdk !== null)
    return checkZone(path, sdk.groups?.['part'] === undefined ? 'sdk' : `sdk/${sdk.groups['part']}`, zone)
  return checkPackage(path, specifier, zone, typeOnly)
}

function checkFile(path: string, target: string, zone: Zone | undefined, typeOnly: boolean): string | null {
  if (TEST_CODE.test(target)) return `imports test code (${target})`
  const root = path.split('/').slice(0, 3).join('/')
  if (!target.startsWith(`${root}/`)) return `leaves ${root} (${target}); import the package by its name`
  if (zone === undefined) return null
  if (COMPOSITION.test(target)) return `imports the composition root (${target})`
  const targetZone = ZONES.find(({ files }) => files.test(target))
  if (targetZone === undefined) return `imports ${target}, which belongs to no zone`
  return checkZone(path, targetZone.name, zone, typeOnly)
}

function checkZone(path: string, target: string, zone: Zone | undefined, typeOnly = false): string | null {
  if (zone === undefined || target === zone.name || zone.zones.includes(target)) return null
  if (zone.name.startsWith('sdk') && !target.startsWith('sdk')) return `the SDK may not import ${target}`
  if (EXCEPTIONS.some(({ from, to }) => from === path && to === target)) return null
  if (zone.types?.includes(target) === true) {
    return typeOnly ? null : `${zone.name} may import only types of ${target}`
  }
  return `${zone.name} may not import ${target}`
}

function checkPackage(path: string, specifier: string, zone: Zone | undefined, typeOnly: boolean): string | null {
  const name = specifier.startsWith('node:') ? specifier : packageOf(specifier)
  const door = DOORS[name]
  if (door !== undefined && !door.test(path)) return `${name} may only be imported by ${door.source}`
  if (zone === undefined) return name === 'node:sqlite' ? 'only store/sqlite may import node:sqlite' : null
  const allowed = zone.packages ?? []
  if (allowed.includes(name)) return null
  if (name.startsWith('node:') && name !== 'node:sqlite' && allowed.includes('node:*')) return null
  if (zone.types?.includes(name) === true) return typeOnly ? null : `${zone.name} may import only types of ${name}`
  return `${zone.name} may not import ${name}`
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}
