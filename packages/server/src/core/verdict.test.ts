import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ATTEMPT_OUTCOMES } from '@runbell/sdk/contract'
import type { FailureOutcome, ResponseOutcome } from './attempt-outcome.ts'
import { decide, decideAfterCrash, outcomeName, type AttemptFacts, type CrashFacts } from './verdict.ts'

const NOW = 1_800_000_000_000
const PHASES = { dns: null, connect: null, tls: null, wait: 1 }

function response(status: number, headers: Record<string, string> = {}): ResponseOutcome {
  const excerpt = new Uint8Array()
  return { kind: 'response', status, headers, excerpt, truncated: false, phases: PHASES, durationMs: 5 }
}

function failure(outcome: FailureOutcome['outcome']): FailureOutcome {
  return { kind: 'failure', outcome, detail: '', phases: PHASES, durationMs: 5 }
}

const facts = (input: Partial<AttemptFacts> = {}): AttemptFacts => ({
  number: 1,
  cycleStart: 1,
  schedule: [1000, 60_000],
  now: NOW,
  random: 0.5,
  ...input,
})

const NOTHING_HEARD = [
  'timeout',
  'dns_failed',
  'connect_failed',
  'tls_failed',
  'blocked_address',
  'protocol_error',
] as const

describe('the name of an outcome', () => {
  it('is delivered for 200 to 299 and nothing else, redirect for 300 to 399', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), (status) => {
        const expected =
          status >= 200 && status < 300 ? 'delivered' : status >= 300 && status < 400 ? 'redirect' : 'http_error'
        expect(outcomeName(response(status))).toBe(expected)
        expect(ATTEMPT_OUTCOMES).toContain(expected)
      }),
    )
    expect([199, 200, 299, 300, 399, 400].map((status) => outcomeName(response(status)))).toEqual([
      'http_error',
      'delivered',
      'delivered',
      'redirect',
      'redirect',
      'http_error',
    ])
  })

  it('is the failure itself where no response came', () => {
    for (const name of NOTHING_HEARD) expect(outcomeName(failure(name))).toBe(name)
  })
})

describe('decide', () => {
  it('ends a delivery as delivered on every 2xx, also on its last attempt', () => {
    for (const status of [200, 201, 202, 204, 206, 226, 299]) {
      expect(decide(response(status), facts({ number: 3 }))).toEqual({ kind: 'delivered' })
    }
  })

  it('tries again after every other status, redirects included', () => {
    for (const status of [100, 199, 300, 301, 304, 308, 400, 401, 403, 404, 409, 411, 422, 429, 500, 503, 599]) {
      expect(decide(response(status), facts()), String(status)).toEqual({ kind: 'retry', at: NOW + 1000 })
    }
    for (const name of NOTHING_HEARD) expect(decide(failure(name), facts())).toEqual({ kind: 'retry', at: NOW + 1000 })
  })

  it('ends a delivery as gone on 410 at once, whatever is left of the schedule', () => {
    const gone = { kind: 'dead_letter', reason: 'gone' }
    expect(decide(response(410, { 'retry-after': '5' }), facts())).toEqual(gone)
    expect(decide(response(410), facts({ number: 3 }))).toEqual(gone)
  })

  it('dead-letters after the attempt that uses up the schedule', () => {
    expect(decide(response(500), facts({ number: 2 }))).toEqual({ kind: 'retry', at: NOW + 60_000 })
    const exhausted = { kind: 'dead_letter', reason: 'attempts_exhausted' }
    expect(decide(response(500), facts({ number: 3 }))).toEqual(exhausted)
    expect(decide(failure('timeout'), facts({ number: 9 }))).toEqual(exhausted)
    expect(decide(response(500), facts({ schedule: [] }))).toEqual(exhausted)
  })

  it('begins the schedule anew after a replay, while attempt numbers go on', () => {
    expect(decide(response(500), facts({ number: 12, cycleStart: 12 }))).toEqual({ kind: 'retry', at: NOW + 1000 })
    expect(decide(response(500), facts({ number: 13, cycleStart: 12 }))).toEqual({ kind: 'retry', at: NOW + 60_000 })
    expect(decide(response(500), facts({ number: 14, cycleStart: 12 }))).toMatchObject({ reason: 'attempts_exhausted' })
  })

  it('lets Retry-After of any status move the next attempt later', () => {
    for (const status of [302, 400, 429, 500, 503]) {
      const verdict = decide(response(status, { 'retry-after': '90' }), facts())
      expect(verdict, String(status)).toEqual({ kind: 'retry', at: NOW + 90_000 })
    }
  })

  it('never makes more attempts in a cycle than the schedule has delays plus one', () => {
    const schedule = fc.array(fc.nat(100_000), { maxLength: 29 })
    fc.assert(
      fc.property(schedule, fc.integer({ min: 1, max: 50 }), (delays, cycleStart) => {
        let number = cycleStart
        while (decide(response(500), facts({ number, cycleStart, schedule: delays })).kind === 'retry') number++
        expect(number - cycleStart + 1).toBe(delays.length + 1)
      }),
    )
  })
})

describe('decideAfterCrash', () => {
  const crash = (input: Partial<CrashFacts> = {}) =>
    decideAfterCrash({
      number: 1,
      cycleStart: 1,
      knownOutcomes: 0,
      crashesAlone: 0,
      maxAttempts: 3,
      now: NOW,
      ...input,
    })
  const again = { kind: 'retry', at: NOW }

  it('tries again at once while the cap is not reached', () => {
    expect(crash()).toEqual(again)
    expect(crash({ number: 2, knownOutcomes: 1 })).toEqual(again)
  })

  it('counts an unknown attempt towards the cap', () => {
    expect(crash({ number: 3, knownOutcomes: 1 })).toEqual({ kind: 'dead_letter', reason: 'attempts_exhausted' })
    expect(crash({ number: 4, knownOutcomes: 2 })).toMatchObject({ reason: 'attempts_exhausted' })
  })

  it('counts only the attempts of this cycle', () => {
    expect(crash({ number: 12, cycleStart: 11, knownOutcomes: 1 })).toEqual(again)
    expect(crash({ number: 13, cycleStart: 11, knownOutcomes: 1 })).toMatchObject({ reason: 'attempts_exhausted' })
  })

  it('never dead-letters by the cap what has only unknown attempts', () => {
    for (const number of [3, 4, 100]) expect(crash({ number, knownOutcomes: 0 })).toEqual(again)
  })

  it('quarantines after three crashes alone, and not before', () => {
    expect(crash({ crashesAlone: 2 })).toEqual(again)
    const quarantined = { kind: 'dead_letter', reason: 'quarantined' }
    expect(crash({ crashesAlone: 3 })).toEqual(quarantined)
    expect(crash({ crashesAlone: 4, number: 9, knownOutcomes: 2 })).toEqual(quarantined)
  })
})
