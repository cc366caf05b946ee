import type { EventType } from '@runbell/sdk/catalog'
import type { TypeContract, VersionContract } from '../core/catalog/type-contract.ts'
import { shapeOf } from '../core/schema/data-shape.ts'
import type { TypeDefinition, VersionDefinition } from './own-type.ts'
import { createValidators } from './validator.ts'

const builtIn = createValidators('native')
const registered = createValidators('linear')

/** Settings of a built-in type that an operator has changed. */
export type TypeSettings = Pick<TypeDefinition, 'enforcement' | 'lifecycle'>

export const DEFAULT_SETTINGS: TypeSettings = { enforcement: 'enforce', lifecycle: 'warn' }

/** The contract of a type of the built-in catalog. */
export function builtInContract(
  { type, runScoped, versions }: EventType,
  { enforcement, lifecycle }: TypeSettings,
): TypeContract {
  const compiled = versions.map(({ version, schema }) =>
    lazy(version, () => ({
      version,
      shape: shapeOf({ ...schema }),
      validate: builtIn.compile(schema),
      down: null,
      retiredAt: null,
    })),
  )
  const origin = type.startsWith('runbell.') ? ('service' as const) : ('agent' as const)
  return contractOf({ type, runScoped, origin, enforcement, lifecycle }, compiled)
}

/** The contract of a producer's own type. */
export function ownContract(type: string, definition: TypeDefinition): TypeContract {
  const { runScoped, enforcement, lifecycle, versions } = definition
  const compiled = versions.map((version) => lazy(version.version, () => compileVersion(version)))
  return contractOf({ type, runScoped, origin: 'own', enforcement, lifecycle }, compiled)
}

export function compileVersion({ version, schema, down, deprecation }: VersionDefinition): VersionContract {
  return {
    version,
    shape: shapeOf(schema),
    validate: registered.compile(schema),
    down,
    retiredAt: deprecation?.retiredAt ?? null,
  }
}

type Facts = Pick<TypeContract, 'type' | 'runScoped' | 'origin' | 'enforcement' | 'lifecycle'>

interface Lazy {
  version: number
  get(): VersionContract
}

function contractOf(facts: Facts, versions: readonly Lazy[]): TypeContract {
  const byNumber = new Map(versions.map(({ version, get }) => [version, get]))
  return {
    ...facts,
    current: versions.at(-1)?.version ?? 1,
    version: (version) => byNumber.get(version)?.() ?? null,
  }
}

/** A schema is compiled when its first event comes: a start does not wait for types that nobody uses. */
function lazy(version: number, make: () => VersionContract): Lazy {
  let made: VersionContract | null = null
  return { version, get: () => (made ??= make()) }
}
