import type { ClassMask } from '../../core/data-classes.ts'
import type { DiagnosticFilter, DiagnosticRow } from '../../store/diagnostics.ts'
import type { ReadScope } from '../../store/rows.ts'
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

function linesOf(rows: readonly DiagnosticRow[], grants: ClassMask, _format: DiagnosticExport['format']): string {
  return rows.map((row) => `${JSON.stringify(diagnosticView(row, grants))}\n`).join('')
}
