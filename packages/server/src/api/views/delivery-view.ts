import type { DeliveryView } from '@runbell/sdk/contract'
import type { RetrySchedule } from '../../core/schedule.ts'
import type { DeliveryRow } from '../../store/rows.ts'
import { hexView } from './hex.ts'
import { optionalTimeView, timeView } from './time.ts'

/** @param whole the reader may see all of its body, and so the hash of it: of a short text a hash can be guessed */
export function deliveryView(row: DeliveryRow, whole: boolean): DeliveryView {
  return {
    id: row.id,
    event_id: row.eventId,
    event_type: row.eventType,
    run_id: row.runId,
    endpoint_id: row.endpointId,
    tenant_id: row.tenantId,
    mode: row.mode,
    status: row.status,
    reason: row.reason,
    attempt_count: row.attemptCount,
    next_attempt_at: optionalTimeView(row.nextAttemptAt),
    waits_behind: row.waitsBehind,
    body_sha256: whole ? hexView(row.bodySha256) : null,
    created_at: timeView(row.createdAt),
    updated_at: timeView(row.updatedAt),
  }
}

/** When a delivery is tried again. */
export interface ScheduleView {
  /** Delays after the first attempt, in milliseconds, before ±20% of jitter. */
  retry_schedule: number[]
  /** Attempts a delivery, or a replay of it, has at most. */
  max_attempts: number
}

export function scheduleView(delays: RetrySchedule): ScheduleView {
  return { retry_schedule: [...delays], max_attempts: delays.length + 1 }
}

/** A delivery as the list of dead letters shows it. */
export interface DeadLetterView extends DeliveryView {
  /** How its latest attempt ended. */
  error_code: DeliveryRow['lastOutcome']
  discarded_at: string | null
  note: string | null
}

export function deadLetterView(row: DeliveryRow, whole: boolean): DeadLetterView {
  const { lastOutcome: error_code, discardedAt, note } = row
  return { ...deliveryView(row, whole), error_code, discarded_at: optionalTimeView(discardedAt), note }
}
