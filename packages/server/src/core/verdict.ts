import type { AttemptOutcomeName, DeliveryReason } from '@runbell/sdk/contract'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { nextAttemptAt, type RetrySchedule } from './schedule.ts'

/** What becomes of a delivery after an attempt. */
export type Verdict =
  | { kind: 'delivered' }
  /** Pending again, due at `at` (service time, ms). */
  | { kind: 'retry'; at: number }
  | { kind: 'dead_letter'; reason: DeliveryReason }

/** What is known of a delivery when an attempt ends. */
export interface AttemptFacts {
  /** Attempt number, from 1; goes on over replays. */
  number: number
  /** Number of the first attempt of this cycle: 1, or the first one after the latest replay. */
  cycleStart: number
  schedule: RetrySchedule
  /** Service time in ms. */
  now: number
  /** From 0 (inclusive) to 1 (exclusive). */
  random: number
}

/** The name under which an outcome is on record. */
export function outcomeName(outcome: Exclude<AttemptOutcome, { kind: 'not_sent' }>): AttemptOutcomeName {
  if (outcome.kind === 'failure') return outcome.outcome
  if (outcome.status >= 200 && outcome.status <= 299) return 'delivered'
  if (outcome.status >= 300 && outcome.status <= 399) return 'redirect'
  return 'http_error'
}

/**
 * Decides what becomes of a delivery. Success is a status of 200 to 299 and nothing else (guarantee G11);
 * 410 ends the delivery at once (details 15); anything else is tried again until the schedule is used up.
 */
export function decide(outcome: Exclude<AttemptOutcome, { kind: 'not_sent' }>, facts: AttemptFacts): Verdict {
  if (outcomeName(outcome) === 'delivered') return { kind: 'delivered' }
  if (outcome.kind === 'response' && outcome.status === 410) return { kind: 'dead_letter', reason: 'gone' }
  const attemptsInCycle = facts.number - facts.cycleStart + 1
  const retryAfter = outcome.kind === 'response' ? outcome.headers['retry-after'] : undefined
  const at = nextAttemptAt({ ...facts, attemptsInCycle, retryAfter })
  return at === null ? { kind: 'dead_letter', reason: 'attempts_exhausted' } : { kind: 'retry', at }
}

/** A crash while alone in flight this often marks the content itself as the cause (guarantee G19). */
export const QUARANTINE_CRASHES = 3

/** What is known of a delivery whose attempt was cut off by a crash or a lost lease. */
export interface CrashFacts {
  number: number
  cycleStart: number
  /** How many attempts of this cycle have an outcome other than `unknown`. */
  knownOutcomes: number
  /** How often the process died while this delivery was the only one in flight, this time included. */
  crashesAlone: number
  /** Attempts one cycle may have. */
  maxAttempts: number
  now: number
}

/**
 * Decides what becomes of a delivery whose attempt ended `unknown`. It counts towards the cap, but a delivery
 * all of whose attempts are `unknown` may never have been sent at all and is not dead-lettered by the cap (details 2).
 */
export function decideAfterCrash(facts: CrashFacts): Exclude<Verdict, { kind: 'delivered' }> {
  if (facts.crashesAlone >= QUARANTINE_CRASHES) return { kind: 'dead_letter', reason: 'quarantined' }
  const attemptsInCycle = facts.number - facts.cycleStart + 1
  if (facts.knownOutcomes > 0 && attemptsInCycle >= facts.maxAttempts) {
    return { kind: 'dead_letter', reason: 'attempts_exhausted' }
  }
  return { kind: 'retry', at: facts.now }
}
