import { parseTime } from './rfc3339.ts'

/** Delays after the first attempt, in ms: n entries make n + 1 attempts. */
export type RetrySchedule = readonly number[]

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** 11 attempts over about three days (contract, "Retries"). */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = [
  5 * SECOND,
  1 * MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]

/** At most 30 attempts, so 29 delays. */
export const MAX_RETRY_DELAYS = 29
/** A schedule may span at most 30 days in all. */
export const MAX_SCHEDULE_MS = 30 * DAY
/** Each delay is multiplied by 0.8 to 1.2, so that deliveries that failed together do not come back together. */
export const JITTER = 0.2
/** `Retry-After` can move an attempt by at most a day. */
export const MAX_RETRY_AFTER_MS = DAY

export interface NextAttemptInput {
  schedule: RetrySchedule
  /** How many attempts this cycle has had, the one that just ended included. */
  attemptsInCycle: number
  /** Service time in ms. */
  now: number
  /** From 0 (inclusive) to 1 (exclusive). */
  random: number
  /** The response's `Retry-After`, if it had one. */
  retryAfter?: string | undefined
}

/**
 * When the next attempt is due, or `null` when the schedule is used up.
 * `Retry-After` moves it later, at most 24 h, never earlier than the schedule.
 */
export function nextAttemptAt(input: NextAttemptInput): number | null {
  const delay = input.schedule[input.attemptsInCycle - 1]
  if (delay === undefined) return null
  const jittered = Math.round(delay * (1 - JITTER + 2 * JITTER * input.random))
  const asked = input.retryAfter === undefined ? 0 : parseRetryAfter(input.retryAfter, input.now)
  return input.now + Math.max(jittered, Math.min(asked, MAX_RETRY_AFTER_MS))
}

/**
 * Milliseconds that a `Retry-After` header asks to wait; 0 when it cannot be read or lies in the past.
 * Either seconds or an HTTP date (RFC 9110, section 10.2.3).
 */
export function parseRetryAfter(value: string, now: number): number {
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * SECOND
  const date = parseHttpDate(text, now)
  return date === null ? 0 : Math.max(0, date - now)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** The three forms a receiver has to read; all of them are GMT. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
]

/**
 * An HTTP date (RFC 9110, section 5.6.7) in ms; `null` where it is none. `Date.parse` takes `Mon, 1` for a date too,
 * and reads the third form in the machine's time zone.
 */
function parseHttpDate(text: string, now: number): number | null {
  const groups = HTTP_DATES.map((form) => form.exec(text)?.groups).find((found) => found !== undefined)
  if (groups === undefined) return null
  const { day = '', month = '', year = '', time = '' } = groups
  const monthNumber = String(MONTHS.indexOf(month) + 1).padStart(2, '0')
  const fullYear = year.length === 4 ? year : String(nearbyYear(Number(year), new Date(now).getUTCFullYear()))
  return parseTime(`${fullYear}-${monthNumber}-${day.replace(' ', '0')}T${time}Z`)
}

/** The year that ends in these two digits and is at most 50 years ahead. */
function nearbyYear(twoDigits: number, thisYear: number): number {
  const latest = thisYear + 50
  return latest - ((((latest - twoDigits) % 100) + 100) % 100)
}

const UNITS: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/** Ms of a time such as `500ms`, `5s`, `1m`, `2h` or `1d`; `null` where it is none. */
export function parseDelay(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text)
  return match === null ? null : Number(match[1]) * (UNITS[match[2] as string] as number)
}

/**
 * Reads a schedule such as `5s,1m,5m`. Units: ms, s, m, h, d.
 * @returns the delays in ms, or a sentence that says what is wrong
 */
export function parseSchedule(text: string): RetrySchedule | { error: string } {
  const delays: number[] = []
  for (const part of text.split(',').map((entry) => entry.trim())) {
    if (part === '' && text.trim() === '') break
    const delay = parseDelay(part)
    if (delay === null) return { error: `"${part}" is not a delay such as 500ms, 5s, 1m, 2h or 1d` }
    delays.push(delay)
  }
  const problem = scheduleProblem(delays)
  return problem === null ? delays : { error: problem }
}

/** What is wrong with these delays, or `null`. */
export function scheduleProblem(delays: readonly number[]): string | null {
  if (delays.length > MAX_RETRY_DELAYS) return `at most ${MAX_RETRY_DELAYS} delays (30 attempts) are possible`
  if (delays.some((delay) => !Number.isSafeInteger(delay) || delay < 0)) return 'delays are whole milliseconds from 0'
  if (delays.reduce((sum, delay) => sum + delay, 0) > MAX_SCHEDULE_MS) return 'a schedule spans at most 30 days'
  return null
}
