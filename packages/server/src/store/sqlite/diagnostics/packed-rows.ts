import type { NewDiagnostic } from '../../diagnostics.ts'
import { modes } from '../codes.ts'

/** What one row is made of, in the order of the table's columns. */
export type PackedRow = [
  mode: number,
  tenantId: string,
  runId: string | null,
  traceId: string | null,
  name: string,
  severity: number,
  recordedAt: number,
  body: string,
]

const FIELDS = 8

/**
 * Rows as one text for the way to the thread: copying objects would take as long on this side as checking them did. None of the
 * fields has a line feed: ids, names and tenants may have no control characters, and JSON text escapes them.
 */
export function packRows(diagnostics: readonly NewDiagnostic[]): string {
  const parts: (string | number)[] = []
  for (const { mode, tenantId, runId, traceId, name, severity, recordedAt, body } of diagnostics) {
    parts.push(modes.encode(mode), tenantId, runId ?? '', traceId ?? '', name, severity, recordedAt, body)
  }
  return parts.join('\n')
}

export function* unpackRows(packed: string): Generator<PackedRow> {
  if (packed === '') return
  const parts = packed.split('\n')
  for (let at = 0; at < parts.length; at += FIELDS) {
    const field = (index: number): string => parts[at + index] as string
    const optional = (index: number): string | null => (field(index) === '' ? null : field(index))
    const [mode, severity, recordedAt] = [Number(field(0)), Number(field(5)), Number(field(6))]
    yield [mode, field(1), optional(2), optional(3), field(4), severity, recordedAt, field(7)]
  }
}
