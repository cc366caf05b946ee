import type { Phases } from '../../../core/attempt-outcome.ts'
import type { Database } from '../database.ts'

export interface AttemptInsert {
  delivery: number
  number: number
  trigger: number
  startedAt: number
  durationMs: number | null
  outcome: number
  statusCode: number | null
  requestHeaders: [string, string][]
  responseHeaders: Record<string, string>
  excerpt: Uint8Array | null
  truncated: boolean
  phases: Phases
}

export function insertAttempt(db: Database, attempt: AttemptInsert): void {
  db.prepare('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    attempt.delivery,
    attempt.number,
    attempt.trigger,
    attempt.startedAt,
    attempt.durationMs,
    attempt.outcome,
    attempt.statusCode,
    JSON.stringify(attempt.requestHeaders),
    JSON.stringify(attempt.responseHeaders),
    attempt.excerpt,
    attempt.truncated ? 1 : 0,
    JSON.stringify(attempt.phases),
  )
}
