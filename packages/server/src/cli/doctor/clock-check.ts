import type { DatabaseFindings } from './database-checks.ts'
import { fail, ok, warn, type Check } from './check.ts'

/** Receivers refuse signatures whose timestamp is further off than this (Standard Webhooks, reference libraries). */
const TOLERANCE_MS = 5 * 60_000
const NOTEWORTHY_MS = 5000
/** Runbell did not exist before: a clock that says so was never set. */
const EARLIEST = Date.UTC(2026, 0, 1)

export interface Clocks {
  /** The wall clock, milliseconds since 1970. */
  wall: number
  /** How far the wall clock and the monotonic one have moved apart while this process ran, ms. */
  driftMs: number
}

/** This machine's clocks against the database's, and against the time that was last put on record there. */
export function checkClock({ wall, driftMs }: Clocks, { inspection, time }: DatabaseFindings): Check {
  const set = 'Set the clock of this machine and keep it right with NTP.'
  if (wall < EARLIEST) return fail('clock', `it says ${new Date(wall).toISOString()}, which is long over`, set)
  const highWater = inspection?.content?.highWater ?? 0
  if (highWater - wall > TOLERANCE_MS) {
    const message = `it is ${spanText(highWater - wall)} behind what was put on record in the database`
    return fail('clock', message, `${set} Until then receivers refuse what is signed by it.`)
  }
  if (Math.abs(driftMs) > NOTEWORTHY_MS) {
    return warn('clock', `it jumped by ${spanText(Math.abs(driftMs))} while this command ran`, set)
  }
  if (time === null) return ok('clock', `${new Date(wall).toISOString()}, not behind the database`)
  // The answer was on its way for half of the time, more or less.
  const offMs = Math.max(0, Math.abs(wall - time.now - time.tookMs / 2) - time.tookMs / 2)
  const direction = wall < time.now ? 'behind' : 'ahead of'
  if (offMs > TOLERANCE_MS) {
    return fail('clock', `it is ${spanText(offMs)} ${direction} the clock of the database`, set)
  }
  if (offMs > NOTEWORTHY_MS) {
    return warn('clock', `it is ${spanText(offMs)} ${direction} the clock of the database`, set)
  }
  return ok('clock', `${new Date(wall).toISOString()}, within ${Math.ceil(offMs) + 1} ms of the clock of the database`)
}

function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}
