import type { DiagnosticFilter, DiagnosticRow, DiagnosticStore } from '../../store/diagnostics.ts'
import type { ReadScope } from '../../store/rows.ts'
import type { Clock } from '../../core/clock.ts'

export interface FollowOptions {
  store: Pick<DiagnosticStore, 'list'>
  clock: Pick<Clock, 'after'>
  scope: ReadScope
  filter: DiagnosticFilter
  /** Those behind this position. */
  after: number
  /** Asked before every look: whether whoever follows still may. */
  mayGoOn(): Promise<boolean>
  signal: AbortSignal
}

/** Rows in memory at a time. */
const PIECE = 100
/** After a look that found nothing, ms. */
const PAUSE_MS = 500

/**
 * Rows as they are stored, piece by piece; an empty piece after each pause, so that whoever follows can be told that all is well. Nothing
 * is kept for who does not ask: what has been stored meanwhile is read then, or has gone by its age.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<{ rows: DiagnosticRow[]; position: number }> {
  const { store, clock, scope, filter, mayGoOn, signal } = options
  let { after } = options
  while (!signal.aborted && (await mayGoOn())) {
    const { rows, next } = await store.list({ scope, filter, page: { limit: PIECE, order: 'oldest', after } })
    after = rows.at(-1)?.position ?? after
    if (next !== null) after = Math.max(after, next)
    yield { rows, position: after }
    if (next === null) await pause(clock, signal)
  }
}

function pause(clock: Pick<Clock, 'after'>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(PAUSE_MS, end)
    signal.addEventListener('abort', end)
  })
}
