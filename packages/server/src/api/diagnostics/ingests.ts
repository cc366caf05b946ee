import type { Ingest } from './ingest.ts'
import { LOGS_INGEST, TRACES_INGEST } from './otlp-ingest.ts'
import { DIAGNOSTICS_INGEST } from './post-diagnostics.ts'

/** What takes diagnostics, by path. */
export const INGESTS: ReadonlyMap<string, Ingest> = new Map([
  ['/v1/diagnostics', DIAGNOSTICS_INGEST],
  ['/v1/otlp/v1/traces', TRACES_INGEST],
  ['/v1/otlp/v1/logs', LOGS_INGEST],
])
