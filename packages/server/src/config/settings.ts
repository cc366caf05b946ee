import { DEFAULT_RETRY_SCHEDULE, parseSchedule, type RetrySchedule } from '../core/schedule.ts'
import { DATABASE_SETTINGS, type DatabaseSettings } from './database-settings.ts'
import { DIAGNOSTIC_SETTINGS, type DiagnosticSettings } from './diagnostic-settings.ts'
import { EGRESS_PROXY_SETTINGS, type EgressProxySettings } from './egress-proxy-settings.ts'
import { MASTER_KEY_SETTINGS, type MasterKeySettings } from './master-key-settings.ts'
import { RETENTION_SETTINGS, type RetentionSettings } from './retention-settings.ts'
import { formatDuration, SettingError, type SettingSpec } from './setting-spec.ts'

/** The effective configuration of a server. */
export interface Settings
  extends DatabaseSettings, DiagnosticSettings, EgressProxySettings, MasterKeySettings, RetentionSettings {
  dataDir: string
  host: string
  port: number
  adminKeys: string[]
  egressAllow: string[]
  retrySchedule: RetrySchedule
  attemptTimeoutMs: number
  logLevel: LogLevel
  eventBytes: number
  batchBytes: number
  batchEvents: number
  endpointsPerTenant: number
  maxInFlight: number
  /** Empty: the address it listens on. */
  publicUrl: string
  runEventBudget: number
  eventsPerSecond: number
  maxPending: number
  freeBytes: number
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const KIB = 1024
const MIB = 1024 * KIB

export const SETTINGS: { readonly [Name in keyof Settings]: SettingSpec<Settings[Name]> } = {
  dataDir: {
    env: 'RUNBELL_DATA_DIR',
    flag: '--data-dir',
    meaning: 'Folder of the embedded database.',
    default: () => './.runbell',
    parse: (text) => text,
    format: String,
  },
  ...DATABASE_SETTINGS,
  host: {
    env: 'RUNBELL_HOST',
    flag: '--host',
    meaning: 'Address to listen on.',
    default: (command) => (command === 'dev' ? '127.0.0.1' : '0.0.0.0'),
    parse: (text) => text,
    format: String,
  },
  port: {
    env: 'RUNBELL_PORT',
    flag: '--port',
    meaning: 'Port to listen on; 0 picks a free one.',
    default: () => 4600,
    parse: integer(0, 65_535),
    format: String,
  },
  publicUrl: {
    env: 'RUNBELL_PUBLIC_URL',
    flag: '--public-url',
    meaning:
      'Where it is reached from outside: the base of what bodies and answers point to. Default: where it listens.',
    default: () => '',
    parse: publicUrl,
    format: String,
  },
  adminKeys: {
    env: 'RUNBELL_ADMIN_KEYS',
    flag: null,
    meaning: 'Comma-separated admin keys (rb_live_…, rb_test_…) that are valid from the first start on; stored hashed.',
    secret: true,
    default: () => [],
    parse: list,
    format: (keys) => keys.map(() => '•••').join(','),
  },
  ...MASTER_KEY_SETTINGS,
  egressAllow: {
    env: 'RUNBELL_EGRESS_ALLOW',
    flag: '--egress-allow',
    meaning: 'Comma-separated CIDRs and hosts that may be reached besides public addresses over https.',
    default: () => [],
    parse: list,
    format: (entries) => entries.join(','),
  },
  ...EGRESS_PROXY_SETTINGS,
  retrySchedule: {
    env: 'RUNBELL_RETRY_SCHEDULE',
    flag: '--retry-schedule',
    meaning: 'Delays after the first attempt, such as 5s,1m,5m: n entries make n + 1 attempts.',
    default: () => DEFAULT_RETRY_SCHEDULE,
    parse(text) {
      const schedule = parseSchedule(text)
      if ('error' in schedule) throw new SettingError(schedule.error)
      return schedule
    },
    format: (delays) => delays.map(formatDuration).join(','),
  },
  attemptTimeoutMs: {
    env: 'RUNBELL_ATTEMPT_TIMEOUT',
    flag: '--attempt-timeout',
    meaning: 'One deadline for a whole attempt, 1s to 60s.',
    default: () => 15_000,
    parse: duration(1000, 60_000),
    format: formatDuration,
  },
  logLevel: {
    env: 'RUNBELL_LOG_LEVEL',
    flag: '--log-level',
    meaning: 'One of fatal, error, warn, info, debug, trace, silent.',
    default: (command) => (command === 'dev' ? 'warn' : 'info'),
    parse(text) {
      const level = LOG_LEVELS.find((known) => known === text)
      if (level === undefined) throw new SettingError(`is one of ${LOG_LEVELS.join(', ')}`)
      return level
    },
    format: String,
  },
  eventBytes: limit('RUNBELL_LIMIT_EVENT_BYTES', 'Bytes of one published event, at most 1 MiB.', 256 * KIB, MIB),
  batchBytes: limit('RUNBELL_LIMIT_BATCH_BYTES', 'Bytes of a batch.', 5 * MIB, 64 * MIB),
  batchEvents: limit('RUNBELL_LIMIT_BATCH_EVENTS', 'Events in a batch.', 1000, 10_000),
  endpointsPerTenant: limit('RUNBELL_LIMIT_ENDPOINTS', 'Endpoints of one tenant.', 500, 100_000),
  runEventBudget: limit('RUNBELL_LIMIT_RUN_EVENTS', 'Events of one run; the next is refused.', 1000, 1_000_000),
  eventsPerSecond: limit(
    'RUNBELL_LIMIT_PUBLISH_RATE',
    'Events a second that one tenant may publish in one mode; ten seconds of them may come at once.',
    10_000,
    1_000_000,
  ),
  maxPending: limit(
    'RUNBELL_LIMIT_PENDING',
    'Deliveries of one tenant that may be pending in one mode; events that would make more are refused.',
    2_000_000,
    1_000_000_000,
  ),
  freeBytes: limit(
    'RUNBELL_LIMIT_FREE_BYTES',
    'Bytes that stay free on the disk: with less, publishing is answered with 507. A quarter of it is kept as ballast.',
    128 * MIB,
    1024 * 1024 * MIB,
  ),
  ...RETENTION_SETTINGS,
  ...DIAGNOSTIC_SETTINGS,
  maxInFlight: limit(
    'RUNBELL_LIMIT_IN_FLIGHT',
    'Attempts in flight at once over all endpoints, a fifth of them for slow ones; up to four times as many where many hang at once.',
    320,
    10_000,
  ),
}

function limit(env: string, meaning: string, value: number, most: number): SettingSpec<number> {
  return { env, flag: null, meaning, default: () => value, parse: integer(1, most), format: String }
}

/** Without a slash at its end. */
function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isBase =
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
  if (isBase) return url.href.replace(/\/+$/, '')
  throw new SettingError('is an http or https URL without a query, such as https://runbell.acme.example')
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new SettingError(`is a whole number from ${least} to ${most}`)
  }
}

function duration(least: number, most: number): (text: string) => number {
  return (text) => {
    const delays = parseSchedule(text)
    const value = 'error' in delays || delays.length !== 1 ? undefined : delays[0]
    if (value !== undefined && value >= least && value <= most) return value
    throw new SettingError(`is a time from ${least / 1000}s to ${most / 1000}s, such as 15s or 500ms`)
  }
}
