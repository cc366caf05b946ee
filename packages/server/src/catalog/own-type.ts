import type { ConversionStep } from '../core/conversion/conversion-step.ts'

/** What is kept of a type that a producer registered; of a built-in type only the settings are. */
export interface TypeDefinition {
  /** One sentence: what happened. Empty for a built-in type. */
  fact: string
  runScoped: boolean
  enforcement: 'enforce' | 'warn'
  lifecycle: 'warn' | 'reject'
  /** Rising from 1 without a gap; empty for a built-in type. */
  versions: VersionDefinition[]
}

export interface VersionDefinition {
  version: number
  /** JSON Schema 2020-12 of the data. */
  schema: Record<string, unknown>
  /** How it becomes the version before; `null` for version 1. */
  down: ConversionStep[] | null
  /** Data that is valid under it, at least one; the first is the sample. */
  examples: Record<string, unknown>[]
  /** ms */
  publishedAt: number
  /** When a field was last added, ms. */
  changedAt: number
  deprecation: { deprecatedAt: number; retiredAt: number; note: string | null } | null
}

/** What was kept, read again. */
export function readDefinition(text: string): TypeDefinition {
  return JSON.parse(text) as TypeDefinition
}
