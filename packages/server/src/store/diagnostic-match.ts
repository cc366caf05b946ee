import { subscribes } from '../core/match.ts'
import type { DiagnosticFilter, DiagnosticRow } from './diagnostics.ts'
import type { ReadScope } from './rows.ts'

/** Whether a filter wants a row. Stores look up what an index can find and ask this about the rest. */
export function wantsDiagnostic(scope: ReadScope, filter: DiagnosticFilter, row: DiagnosticRow): boolean {
  return (
    row.mode === scope.mode &&
    (scope.tenantId === null || row.tenantId === scope.tenantId) &&
    (filter.runId === null || row.runId === filter.runId) &&
    (filter.traceId === null || row.traceId === filter.traceId) &&
    row.severity >= filter.leastSeverity &&
    (filter.since === null || row.recordedAt >= filter.since) &&
    (filter.until === null || row.recordedAt < filter.until) &&
    (filter.names.length === 0 || subscribes(filter.names, row.name))
  )
}
