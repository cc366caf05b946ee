import { BUILT_IN_TYPES, SERVICE_TYPES, type EventType } from '@runbell/sdk/catalog'
import type { Envelope } from '@runbell/sdk/contract'
import type { SchemaObject } from '../core/schema/schema-problem.ts'

/** An event type as everything that is made from a catalog needs it: built in or a producer's own. */
export interface CatalogEntry {
  type: string
  /** One sentence: what happened. */
  fact: string
  runScoped: boolean
  /** Rising from 1; the last is current. */
  versions: CatalogVersion[]
  /** A whole event of the current version; `null`: made from its first example. */
  sample: Envelope | null
}

export interface CatalogVersion {
  version: number
  schema: SchemaObject
  examples: Record<string, unknown>[]
  /** Refused from producers from then on, RFC 3339; `null`: it is not deprecated. */
  retiresAt: string | null
}

/** The catalog that Runbell brings, with the types of its own events. */
export function builtInEntries(): CatalogEntry[] {
  return [...BUILT_IN_TYPES.values(), ...SERVICE_TYPES.values()].map(entryOf)
}

function entryOf({ type, fact, runScoped, versions, samples }: EventType): CatalogEntry {
  return {
    type,
    fact,
    runScoped,
    sample: samples.live,
    versions: versions.map(({ version, schema }) => ({
      version,
      schema: { ...schema },
      examples: [samples.live.data as Record<string, unknown>],
      retiresAt: null,
    })),
  }
}

/** The current version of a type. */
export function currentOf({ versions }: CatalogEntry): CatalogVersion {
  return versions.at(-1) as CatalogVersion
}
