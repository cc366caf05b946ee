import type { Mode } from '@runbell/sdk/contract'
import type { CursorPage, ReadScope } from './rows.ts'

/** A diagnostic as it is kept: what is asked by in columns, everything else in its body. */
export interface NewDiagnostic {
  mode: Mode
  tenantId: string
  runId: string | null
  /** 32 hex digits. */
  traceId: string | null
  name: string
  /** Its place in `DIAGNOSTIC_SEVERITIES`. */
  severity: number
  /** Service time in ms. */
  recordedAt: number
  /** JSON text, see `core/diagnostics/stored-diagnostic.ts`. */
  body: string
}

export interface DiagnosticRow extends NewDiagnostic {
  /** In the order of commits (details 22). */
  position: number
}

export interface DiagnosticFilter {
  runId: string | null
  traceId: string | null
  /** Globs, as those of event types; empty: any. */
  names: string[]
  leastSeverity: number
  /** Recorded at or after. */
  since: number | null
  /** Recorded before. */
  until: number | null
}

export interface DiagnosticPage {
  limit: number
  /** `newest` goes down from before `after`, `oldest` up from behind it. */
  order: 'newest' | 'oldest'
  after: number | null
}

/**
 * Diagnostics have a store of their own: nothing of it is in a transaction with events, and none of its connections or threads is
 * one that an event waits for. There is no verb that leads from a diagnostic to a delivery.
 *
 * Every verb rejects with `StoreUnavailable` where the store is away; the rest of the server goes on then.
 */
export interface DiagnosticStore {
  /** Keeps all of them or none. A process that is killed loses nothing of what was answered; a machine that loses power may lose the last seconds. */
  append(input: { diagnostics: readonly NewDiagnostic[] }): Promise<void>
  /** A page may be shorter than its limit and still have a `next`: what a filter passes over is bounded. */
  list(input: { scope: ReadScope; filter: DiagnosticFilter; page: DiagnosticPage }): Promise<CursorPage<DiagnosticRow>>
  /** The latest one's; 0: there has been none. */
  lastPosition(): Promise<number>
  /** Removes those of a run, at most `limit`, and leaves no copy in any file. Returns how many; fewer than `limit`: that was all. */
  erase(input: { scope: ReadScope; runId: string; limit: number }): Promise<number>
  /** Removes those recorded before, oldest first. Returns how many; fewer than `limit`: that was all. */
  prune(input: { mode: Mode; before: number; limit: number }): Promise<number>
  /** Removes the oldest where there are more than `keep`, counted by positions. Returns how many, as `prune`. */
  pruneBeyond(input: { keep: number; limit: number }): Promise<number>
  close(): Promise<void>
}
