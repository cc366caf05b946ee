import { wantsDiagnostic } from '../diagnostic-match.ts'
import type { DiagnosticRow, DiagnosticStore } from '../diagnostics.ts'

/** Diagnostics in memory, for tests of what works with them. */
export function createMemoryDiagnostics(): DiagnosticStore {
  let rows: DiagnosticRow[] = []
  let last = 0

  /** Removes the first `limit` of those that are to go. */
  const remove = (limit: number, goes: (row: DiagnosticRow) => boolean): number => {
    const going = new Set(rows.filter(goes).slice(0, limit))
    rows = rows.filter((row) => !going.has(row))
    return going.size
  }

  return {
    async append({ diagnostics }) {
      for (const diagnostic of diagnostics) rows.push({ ...diagnostic, position: ++last })
    },
    async list({ scope, filter, page: { limit, order, after } }) {
      const ordered = order === 'newest' ? rows.toReversed() : rows
      const isBehind = ({ position }: DiagnosticRow) =>
        after === null || (order === 'newest' ? position < after : position > after)
      const found = ordered.filter((row) => isBehind(row) && wantsDiagnostic(scope, filter, row))
      const page = found.slice(0, limit)
      return { rows: page, next: found.length > limit ? (page.at(-1)?.position ?? null) : null }
    },
    lastPosition: async () => last,
    erase: async ({ scope, runId, limit }) =>
      remove(
        limit,
        (row) =>
          row.mode === scope.mode &&
          row.runId === runId &&
          (scope.tenantId === null || row.tenantId === scope.tenantId),
      ),
    prune: async ({ mode, before, limit }) => remove(limit, (row) => row.mode === mode && row.recordedAt < before),
    pruneBeyond: async ({ keep, limit }) => remove(limit, ({ position }) => position <= last - keep),
    close: async () => {},
  }
}
