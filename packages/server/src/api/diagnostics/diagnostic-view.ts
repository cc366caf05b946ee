import { DIAGNOSTIC_SEVERITIES, type DiagnosticView } from '@runbell/sdk/contract'
import type { ClassMask } from '../../core/data-classes.ts'
import { cutDiagnostic, readStored } from '../../core/diagnostics/stored-diagnostic.ts'
import type { DiagnosticRow } from '../../store/diagnostics.ts'
import { timeView } from '../views/time.ts'

/** A diagnostic as somebody with these classes may see it (details 11). */
export function diagnosticView(row: DiagnosticRow, grants: ClassMask): DiagnosticView {
  const stored = readStored(row.body)
  const { message, attributes, withheld } = cutDiagnostic(stored, grants)
  const { task_id, conversation_id, agent, span_id, parent_span_id, duration_ms, source, truncated } = stored
  return {
    id: stored.id,
    name: row.name,
    severity: DIAGNOSTIC_SEVERITIES[row.severity] ?? 'info',
    timestamp: timeView(stored.timestamp),
    recorded_at: timeView(row.recordedAt),
    mode: row.mode,
    tenant_id: row.tenantId,
    ...(row.runId === null ? {} : { run_id: row.runId }),
    ...(task_id === undefined ? {} : { task_id }),
    ...(conversation_id === undefined ? {} : { conversation_id }),
    ...(agent === undefined ? {} : { agent }),
    ...(row.traceId === null ? {} : { trace_id: row.traceId }),
    ...(span_id === undefined ? {} : { span_id }),
    ...(parent_span_id === undefined ? {} : { parent_span_id }),
    ...(duration_ms === undefined ? {} : { duration_ms }),
    source,
    ...(message === null ? {} : { message }),
    attributes: Object.fromEntries(attributes),
    ...(truncated === undefined ? {} : { truncated: [...truncated] }),
    ...(withheld.length === 0 ? {} : { withheld }),
  }
}
