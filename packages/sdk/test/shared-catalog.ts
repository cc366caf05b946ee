import { existsSync, readFileSync } from 'node:fs'
import type { Envelope } from '../src/contract/index.ts'
import type { JsonSchema } from '../src/catalog/index.ts'

export interface SharedCatalog {
  run_statuses: string[]
  terminal_run_statuses: string[]
  error_codes: string[]
  defs: Record<string, JsonSchema>
  envelope: {
    properties: Record<string, JsonSchema>
    required: string[]
    required_when_run_scoped: string[]
    required_otherwise: string[]
  }
  types: Record<string, { fact: string; run_scoped: boolean; data: JsonSchema }>
}

const CATALOG = new URL('../../../../shared/contract/catalog.json', import.meta.url)
const EXAMPLES = new URL('../../../../shared/contract/examples.ndjson', import.meta.url)

/** The facts the catalog was built from, and example events; kept beside the repository, `null` where they are not there. */
export function sharedCatalog(): { catalog: SharedCatalog; examples: Envelope[] } | null {
  if (!existsSync(CATALOG) || !existsSync(EXAMPLES)) {
    console.warn(`skipped: the shared catalog is not at ${CATALOG.pathname}; the catalog's own checks still run`)
    return null
  }
  const catalog = JSON.parse(readFileSync(CATALOG, 'utf8')) as SharedCatalog
  const lines = readFileSync(EXAMPLES, 'utf8').trim().split('\n')
  return { catalog, examples: lines.map((line) => JSON.parse(line) as Envelope) }
}
