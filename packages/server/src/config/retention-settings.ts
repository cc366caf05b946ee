import { MODES, type Mode } from '@runbell/sdk/contract'
import { DAY, parseDelay } from '../core/schedule.ts'
import { formatDuration, SettingError, type SettingSpec } from './setting-spec.ts'

/** How long something is kept in each mode, in ms. */
export type KeepTimes = Readonly<Record<Mode, number>>

export interface RetentionSettings {
  retentionEvents: KeepTimes
  retentionBodies: KeepTimes
  retentionAttempts: KeepTimes
  retentionIdempotency: KeepTimes
  retentionAudit: KeepTimes
  retentionDiagnostics: KeepTimes
}

const LEAST_MS = 1000
const MOST_MS = 3650 * DAY

export const RETENTION_SETTINGS: { readonly [Name in keyof RetentionSettings]: SettingSpec<KeepTimes> } = {
  retentionEvents: keep(
    'RUNBELL_RETENTION_EVENTS',
    'How long events are kept, with their deliveries: 30d, or by mode live=90d,test=7d. What is pending always stays.',
    30,
  ),
  retentionBodies: keep(
    'RUNBELL_RETENTION_BODIES',
    'How long payloads are kept, at most as long as their events: after that nothing can be replayed.',
    30,
  ),
  retentionAttempts: keep(
    'RUNBELL_RETENTION_ATTEMPTS',
    'How long the attempts of ended deliveries are kept, at most as long as their events.',
    30,
  ),
  retentionIdempotency: keep(
    'RUNBELL_RETENTION_IDEMPOTENCY',
    'How long a repeated publish is recognised, at most as long as events are kept.',
    30,
  ),
  retentionAudit: keep('RUNBELL_RETENTION_AUDIT', 'How long entries of the audit log are kept.', 400),
  retentionDiagnostics: keep('RUNBELL_RETENTION_DIAGNOSTICS', 'How long diagnostics are kept.', 7),
}

/** @throws SettingError where events would go before repeated publishes of them are forgotten */
export function checkRetention(settings: RetentionSettings): void {
  for (const mode of MODES) {
    const [events, idempotency] = [settings.retentionEvents[mode], settings.retentionIdempotency[mode]]
    if (idempotency <= events) continue
    throw new SettingError(
      `RUNBELL_RETENTION_EVENTS keeps ${mode} events for ${formatDuration(events)}, and RUNBELL_RETENTION_IDEMPOTENCY ` +
        `promises to recognise repeated ones for ${formatDuration(idempotency)}, which takes the events: keep them as long, ` +
        `or promise less`,
    )
  }
}

function keep(env: string, meaning: string, days: number): SettingSpec<KeepTimes> {
  const both = { live: days * DAY, test: days * DAY }
  return { env, flag: null, meaning, default: () => both, parse: (text) => parseKeep(text, both), format: formatKeep }
}

function parseKeep(text: string, whenAbsent: KeepTimes): KeepTimes {
  const both = parseTime(text)
  if (both !== null) return { live: both, test: both }
  const times: Record<Mode, number> = { ...whenAbsent }
  for (const part of text.split(',')) {
    const [name, value = ''] = part.split('=').map((piece) => piece.trim())
    const mode = MODES.find((known) => known === name)
    const time = parseTime(value)
    if (mode === undefined || time === null) {
      throw new SettingError('is a time from 1s to 3650d, such as 30d, or one by mode, such as live=90d,test=7d')
    }
    times[mode] = time
  }
  return times
}

function parseTime(text: string): number | null {
  const ms = parseDelay(text)
  return ms !== null && ms >= LEAST_MS && ms <= MOST_MS ? ms : null
}

function formatKeep(times: KeepTimes): string {
  if (times.live === times.test) return formatDuration(times.live)
  return MODES.map((mode) => `${mode}=${formatDuration(times[mode])}`).join(',')
}
