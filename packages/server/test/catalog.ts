import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import type { Catalog, TypeContract } from '../src/core/catalog/type-contract.ts'
import { DEFAULT_SETTINGS, builtInContract, ownContract, type TypeSettings } from '../src/catalog/contracts.ts'
import type { TypeDefinition, VersionDefinition } from '../src/catalog/own-type.ts'

/** A definition of a producer's own type: whatever is not given is the simplest that can be. */
export function ownType(
  versions: (Partial<VersionDefinition> & Pick<VersionDefinition, 'schema'>)[],
  settings: Partial<TypeDefinition> = {},
): TypeDefinition {
  return {
    fact: 'A test did something.',
    runScoped: false,
    enforcement: 'enforce',
    lifecycle: 'warn',
    ...settings,
    versions: versions.map((version, index) => ({
      version: index + 1,
      down: index === 0 ? null : [],
      examples: [],
      publishedAt: 0,
      changedAt: 0,
      deprecation: null,
      ...version,
    })),
  }
}

/** Any object, public as a whole: what tests that are not about schemas publish. */
export const ANY_DATA: TypeDefinition = ownType([{ schema: { type: 'object', 'x-data-class': 'public' } }])

/** The built-in catalog with some types of its own and other settings. */
export function testCatalog(
  own: Readonly<Record<string, TypeDefinition>> = {},
  settings: Readonly<Record<string, TypeSettings>> = {},
): Catalog {
  const contracts = new Map<string, TypeContract>()
  for (const [name, type] of [...BUILT_IN_TYPES, ...SERVICE_TYPES]) {
    contracts.set(name, builtInContract(type, settings[name] ?? DEFAULT_SETTINGS))
  }
  for (const [name, definition] of Object.entries(own)) contracts.set(name, ownContract(name, definition))
  return { find: (type) => contracts.get(type) ?? null, names: () => contracts.keys() }
}
