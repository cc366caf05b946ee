export interface Manifest {
  name: string
  license?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

interface LockFile {
  packages: Record<string, { resolved?: string; link?: boolean }>
}

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
const OWN = /^@runbell\/|^runbell$/

/** The lock file says what is tested; exact versions make the manifests say the same. */
export function checkVersions(manifest: Manifest): string[] {
  return Object.entries(dependenciesOf(manifest))
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${manifest.name}: ${name} is "${version}", not an exact version`)
}

/** Both ways: no dependency without its line in DEPENDENCIES.md, no line without its dependency. */
export function checkDocumented(manifests: readonly Manifest[], page: string): string[] {
  const names = new Set(manifests.flatMap((manifest) => Object.keys(dependenciesOf(manifest))))
  const lines = new Set([...page.matchAll(/^\| `(?<name>[^`]+)` \|/gm)].map(({ groups }) => groups?.['name'] ?? ''))
  const missing = [...names].filter((name) => !OWN.test(name) && !lines.has(name))
  const stale = [...lines].filter((name) => !names.has(name))
  return [
    ...missing.map((name) => `${name} has no line in DEPENDENCIES.md`),
    ...stale.map((name) => `${name} has a line in DEPENDENCIES.md and is no dependency`),
  ]
}

/** A lock file that names a registry only works where that registry can be reached. */
export function checkLock(text: string): string[] {
  const { packages } = JSON.parse(text) as LockFile
  return Object.entries(packages)
    .filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
    .map(([path, { resolved }]) => `${path} is bound to ${resolved}`)
}

function dependenciesOf(manifest: Manifest): Record<string, string> {
  return { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
}
