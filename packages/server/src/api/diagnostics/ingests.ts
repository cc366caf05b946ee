import type { Ingest } from './ingest.ts'
import { DIAGNOSTICS_INGEST } from './post-diagnostics.ts'

/** What takes diagnostics, by path. */
export const INGESTS: ReadonlyMap<string, Ingest> = new Map([['/v1/diagnostics', DIAGNOSTICS_INGEST]])
