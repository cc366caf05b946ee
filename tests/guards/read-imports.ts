export interface ImportOfFile {
  /** `null` where it is not a literal, so that nobody can tell what is imported. */
  specifier: string | null
  /** `import type`; gone when the program runs. */
  typeOnly: boolean
}

const NAMES = String.raw`(?:[\w$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)?\s*from\s*`
const STATEMENT = new RegExp(
  String.raw`^[ \t]*(?:import|export)\s+(?<type>type\s+)?(?:${NAMES})?['"](?<path>[^'"]+)['"]`,
  'gm',
)
const DYNAMIC = /\bimport\(\s*(?:['"](?<path>[^'"]+)['"])?/g
const BESIDE = /new URL\(\s*['"](?<path>\.[^'"]+\.[mc]?[jt]s)['"],\s*import\.meta\.url/g
const REQUIRE = /\b(?:require|createRequire)\(/g

/** Every import of a file: statements, `import()`, `require`, and the files that `new URL` names beside it. */
export function readImports(text: string): ImportOfFile[] {
  const found: ImportOfFile[] = []
  for (const { groups } of text.matchAll(STATEMENT)) {
    found.push({ specifier: groups?.['path'] ?? null, typeOnly: groups?.['type'] !== undefined })
  }
  for (const pattern of [DYNAMIC, BESIDE]) {
    for (const { groups } of text.matchAll(pattern)) {
      found.push({ specifier: groups?.['path'] ?? null, typeOnly: false })
    }
  }
  for (const _ of text.matchAll(REQUIRE)) found.push({ specifier: null, typeOnly: false })
  return found
}
