import { MODES } from '@runbell/sdk/contract'
import type { Clock } from '../core/clock.ts'
import type { DiagnosticStore } from '../store/diagnostics.ts'
import type { Times } from './retention.ts'

export interface DiagnosticRetentionOptions {
  store: Pick<DiagnosticStore, 'prune' | 'pruneBeyond'>
  clock: Clock
  times: Times
  /** How many there may be at most, whatever their age. */
  keep: number
  /** Nothing more is to be done. */
  stopping(): boolean
}

export interface DiagnosticCounts {
  old: number
  beyond: number
}

/** Removed in one transaction: some ms of a thread that no event waits for. */
const PIECE = 1000

/** Removes diagnostics that are older than they are kept, and the oldest where there are too many; in pieces, with pauses. */
export async function pruneDiagnostics(options: DiagnosticRetentionOptions): Promise<DiagnosticCounts> {
  const { store, clock, times, keep } = options
  const counts = { old: 0, beyond: 0 }
  for (const mode of MODES) {
    counts.old += await all(options, () => store.prune({ mode, before: clock.now() - times[mode], limit: PIECE }))
  }
  counts.beyond = await all(options, () => store.pruneBeyond({ keep, limit: PIECE }))
  return counts
}

async function all({ clock, stopping }: DiagnosticRetentionOptions, piece: () => Promise<number>): Promise<number> {
  let removed = 0
  for (let went = PIECE; went === PIECE && !stopping();) {
    const began = clock.monotonic()
    went = await piece()
    removed += went
    const ms = Math.max(1, clock.monotonic() - began)
    if (went === PIECE) await new Promise<void>((resume) => clock.after(ms, resume))
  }
  return removed
}
