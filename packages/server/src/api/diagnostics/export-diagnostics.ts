import { DIAGNOSTIC_SEVERITIES } from '@runbell/sdk/contract'
import type { ClassMask } from '../../core/data-classes.ts'
import { cutDiagnostic, readStored } from '../../core/diagnostics/stored-diagnostic.ts'
import type { DiagnosticFilter, DiagnosticRow } from '../../store/diagnostics.ts'
import type { ReadScope } from '../../store/rows.ts'
import { writeOtlpLogs, type LogToWrite } from '../../core/otlp/write-otlp.ts'
import type { ApiContext } from '../context.ts'
import { diagnosticView } from './diagnostic-view.ts'

export interface DiagnosticExport {
  scope: ReadScope
  filter: DiagnosticFilter
  grants: ClassMask
  format: 'ndjson' | 'otlp'
}

/** Rows in memory at a time. */
const PIECE = 200

/** Piece by piece, as they are asked for; what is stored after the beginning is in the next export. */
export async function* exportLines(
  { diagnostics }: ApiContext,
  { scope, filter, grants, format }: DiagnosticExport,
): AsyncGenerator<string> {
  const last = await diagnostics.store.lastPosition()
  for (let after: number | null = 0; after !== null && after < last;) {
    const page = { limit: PIECE, order: 'oldest' as const, after }
    const { rows, next } = await diagnostics.store.list({ scope, filter, page })
    const due = rows.filter(({ position }) => position <= last)
    if (due.length > 0) yield linesOf(due, grants, format)
    after = next
  }
}

function linesOf(rows: readonly DiagnosticRow[], grants: ClassMask, format: DiagnosticExport['format']): string {
  if (format === 'otlp') return `${writeOtlpLogs(rows.map((row) => logOf(row, grants)))}\n`
  return rows.map((row) => `${JSON.stringify(diagnosticView(row, grants))}\n`).join('')
}

/** What stands in fields of its own here is an attribute there. */
function logOf(row: DiagnosticRow, grants: ClassMask): LogToWrite {
  const stored = readStored(row.body)
  const { message, attributes } = cutDiagnostic(stored, grants)
  const { timestamp, span_id: spanId = null, duration_ms, conversation_id, task_id, agent } = stored
  const taken = new Map(attributes)
  const own: [string, string | number | undefined][] = [
    ['runbell.id', stored.id],
    ['runbell.mode', row.mode],
    ['runbell.tenant_id', row.tenantId],
    ['runbell.run_id', row.runId ?? undefined],
    ['runbell.task_id', task_id],
    ['runbell.duration_ms', duration_ms],
    ['gen_ai.conversation.id', conversation_id],
    ['gen_ai.agent.id', agent?.id === taken.get('service.name') ? undefined : agent?.id],
  ]
  const added = own.flatMap(([name, value]): [string, string | number][] =>
    value === undefined || taken.has(name) ? [] : [[name, value]],
  )
  return {
    ...{ name: row.name, severity: DIAGNOSTIC_SEVERITIES[row.severity] ?? 'info', timestamp },
    ...{ recordedAt: row.recordedAt, traceId: row.traceId, spanId, message, attributes: [...added, ...attributes] },
  }
}
