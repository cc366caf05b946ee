import { DIAGNOSTIC_SEVERITIES } from '@runbell/sdk/contract'
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts'
import { keepDiagnostic } from '../../core/diagnostics/stored-diagnostic.ts'
import { newId } from '../../core/new-id.ts'
import type { NewDiagnostic } from '../../store/diagnostics.ts'
import type { IngestCall } from './ingest.ts'
import type { Pace } from './pace.ts'

/** What became of one diagnostic, in the order they were given. */
export type KeptDiagnostic = { kind: 'kept'; id: string; masked: string[] } | { kind: 'limited'; waitMs: number }

export interface Prepared {
  /** What is to be stored. */
  rows: NewDiagnostic[]
  kept: KeptDiagnostic[]
}

/** Makes diagnostics ready to be stored: all of a tenant that owes none, and none of one that does. */
export async function prepareAll(call: IngestCall, diagnostics: readonly Diagnostic[], pace: Pace): Promise<Prepared> {
  const { principal, diagnostics: service } = call
  const { mode } = principal
  const counts = new Map<string, number>()
  for (const { tenantId } of diagnostics) counts.set(tenantId, (counts.get(tenantId) ?? 0) + 1)
  const waits = new Map<string, number>()
  for (const [tenantId, count] of counts) waits.set(tenantId, service.gate.take({ mode, tenantId }, count))
  const rows: NewDiagnostic[] = []
  const kept: KeptDiagnostic[] = []
  for (const diagnostic of diagnostics) {
    if (pace.isDue()) await pace.take()
    const waitMs = waits.get(diagnostic.tenantId) ?? 0
    if (waitMs > 0) kept.push({ kind: 'limited', waitMs })
    else {
      const { row, ...facts } = prepare(call, diagnostic)
      rows.push(row)
      kept.push({ kind: 'kept', ...facts })
    }
  }
  return { rows, kept }
}

function prepare({ context, principal }: IngestCall, diagnostic: Diagnostic) {
  const { clock, random } = context
  const { tenantId, runId, traceId, name, severity } = diagnostic
  const { mode } = principal
  const recordedAt = clock.now()
  const id = newId('diagnostic', mode, recordedAt, random)
  const { body, masked } = keepDiagnostic(diagnostic, id)
  const place = DIAGNOSTIC_SEVERITIES.indexOf(severity)
  const row: NewDiagnostic = { mode, tenantId, runId, traceId, name, severity: place, recordedAt, body }
  return { row, id, masked }
}
