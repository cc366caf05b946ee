import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_RETRY_SCHEDULE, nextAttemptAt, parseRetryAfter, parseSchedule, scheduleProblem } from './schedule.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 23, 18, 2, 10)

const next = (input: Partial<Parameters<typeof nextAttemptAt>[0]>) =>
  nextAttemptAt({ schedule: DEFAULT_RETRY_SCHEDULE, attemptsInCycle: 1, now: NOW, random: 0.5, ...input })

describe('the default schedule', () => {
  it('makes 11 attempts over about three days, with the delays of the contract', () => {
    const waited = []
    for (let attempts = 1; ; attempts++) {
      const at = next({ attemptsInCycle: attempts })
      if (at === null) break
      waited.push(at - NOW)
    }
    const hours = [2, 5, 10, 14, 20, 24].map((count) => count * HOUR)
    expect(waited).toEqual([5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, ...hours])
    expect(waited.length + 1).toBe(11)
    const days = waited.reduce((sum, ms) => sum + ms, 0) / DAY
    expect(days).toBeGreaterThan(2.9)
    expect(days).toBeLessThan(3.3)
  })

  it('ends after its last attempt, and stays ended beyond it', () => {
    expect(next({ attemptsInCycle: 11 })).toBeNull()
    expect(next({ attemptsInCycle: 25 })).toBeNull()
    expect(next({ schedule: [], attemptsInCycle: 1 })).toBeNull()
  })

  it('counts as allowed by its own limits', () => {
    expect(scheduleProblem(DEFAULT_RETRY_SCHEDULE)).toBeNull()
  })
})

describe('jitter', () => {
  it('multiplies each delay by 0.8 at one end and comes up to 1.2 at the other', () => {
    expect(next({ random: 0 })).toBe(NOW + 4 * SECOND)
    expect(next({ random: 0.5 })).toBe(NOW + 5 * SECOND)
    expect(next({ random: 1 - Number.EPSILON })).toBe(NOW + 6 * SECOND)
  })

  it('never leaves 0.8 to 1.2 of the delay, and answers in whole milliseconds', () => {
    const delay = fc.integer({ min: 0, max: 30 * DAY })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(delay, random, (ms, fraction) => {
        const waited = (next({ schedule: [ms], random: fraction }) as number) - NOW
        expect(Number.isInteger(waited)).toBe(true)
        expect(waited).toBeGreaterThanOrEqual(Math.floor(ms * 0.8))
        expect(waited).toBeLessThanOrEqual(Math.ceil(ms * 1.2))
      }),
    )
  })

  it('spreads over the whole range', () => {
    const at = (random: number) => (next({ schedule: [HOUR], random }) as number) - NOW
    expect([at(0), at(0.25), at(0.5), at(0.75)]).toEqual([48, 54, 60, 66].map((minutes) => minutes * MINUTE))
  })
})

describe('Retry-After', () => {
  const waits = (retryAfter: string, schedule = [MINUTE]) => (next({ schedule, retryAfter }) as number) - NOW

  it('moves the next attempt later by seconds or by an HTTP date', () => {
    expect(waits('120')).toBe(120 * SECOND)
    expect(waits(' 120 ')).toBe(120 * SECOND)
    expect(waits('Mon, 23 Nov 2026 18:12:10 GMT')).toBe(10 * MINUTE)
  })

  it('never moves it earlier than the schedule', () => {
    for (const value of ['0', '1', '59', 'Mon, 23 Nov 2026 18:02:11 GMT', 'Mon, 23 Nov 1998 18:02:11 GMT']) {
      expect(waits(value), value).toBe(MINUTE)
    }
    expect(waits('3600', [2 * HOUR])).toBe(2 * HOUR)
  })

  it('moves it by at most 24 hours, however large the number', () => {
    for (const value of ['86401', '9999999999', '99999999999', '9'.repeat(30), '9'.repeat(400)]) {
      expect(waits(value), value).toBe(DAY)
    }
    expect(waits('Fri, 23 Nov 2096 18:02:10 GMT')).toBe(DAY)
    expect(waits('86399')).toBe(DAY - SECOND)
  })

  it('leaves a schedule that waits longer than a day as it is', () => {
    expect(waits('9999999999', [2 * DAY])).toBe(2 * DAY)
  })

  it('is no new chance once the schedule is used up', () => {
    expect(next({ schedule: [MINUTE], attemptsInCycle: 2, retryAfter: '5' })).toBeNull()
  })

  it('reads all three date forms of RFC 9110, section 5.6.7', () => {
    const now = Date.UTC(1994, 10, 6, 8, 49, 0)
    for (const form of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      expect(parseRetryAfter(form, now), form).toBe(37 * SECOND)
    }
    expect(parseRetryAfter('Tuesday, 06-Nov-29 08:49:37 GMT', Date.UTC(2029, 10, 6, 8, 49, 0))).toBe(37 * SECOND)
    expect(parseRetryAfter('Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 0))).toBe(37 * SECOND)
  })

  it('does not depend on the time zone of the machine', () => {
    const before = process.env['TZ']
    try {
      process.env['TZ'] = 'Pacific/Kiritimati'
      expect(parseRetryAfter('Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 0))).toBe(37 * SECOND)
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })

  it('counts as absent when it cannot be read', () => {
    const garbage = [
      ...['', ' ', 'soon', '-5', '+5', '1.5', '1e3', '0x10', '5 s', '5, 10', '٣', 'NaN', 'Infinity', '2096-11-23'],
      ...['2096-11-23T18:02:10Z', 'Foo, 2999', 'Mon, 1', 'Mon, 23 Nov 2096', 'Fri, 23 Nov 2096 18:02:10'],
      ...['Fri, 23 Nov 2096 18:02:10 +0100', 'Fri, 31 Feb 2096 18:02:10 GMT', 'Fri, 23 Nov 2096 25:02:10 GMT'],
      ...['Fri, 00 Nov 2096 18:02:10 GMT', 'Fri, 23 Foo 2096 18:02:10 GMT', 'x'.repeat(16_000), ','.repeat(16_000)],
    ]
    for (const value of garbage) expect(parseRetryAfter(value, NOW), value.slice(0, 40)).toBe(0)
  })

  it('never goes below the schedule nor above a day beyond it, whatever the header says', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(40 * DAY), (retryAfter, ms) => {
        const waited = waits(retryAfter, [ms])
        expect(waited).toBeGreaterThanOrEqual(ms)
        expect(waited).toBeLessThanOrEqual(Math.max(ms, DAY))
      }),
    )
  })
})

describe('parseSchedule', () => {
  it('reads every unit', () => {
    expect(parseSchedule('500ms,5s,1m,2h,1d')).toEqual([500, 5 * SECOND, MINUTE, 2 * HOUR, DAY])
    expect(parseSchedule(' 5s , 1m ')).toEqual([5 * SECOND, MINUTE])
    expect(parseSchedule('0s')).toEqual([0])
  })

  it('takes no entries for one attempt: n entries are n + 1 attempts', () => {
    expect(parseSchedule('')).toEqual([])
    expect(parseSchedule('  ')).toEqual([])
    expect(next({ schedule: parseSchedule('') as number[] })).toBeNull()
  })

  it('reads the default schedule as operators write it', () => {
    expect(parseSchedule('5s,1m,5m,30m,2h,5h,10h,14h,20h,24h')).toEqual([...DEFAULT_RETRY_SCHEDULE])
  })

  it('says which entry it cannot read', () => {
    for (const [text, entry] of [
      ['5', '5'],
      ['5s,soon', 'soon'],
      ['5s,,1m', ''],
      ['5s,', ''],
      [',', ''],
      ['-5s', '-5s'],
      ['1.5h', '1.5h'],
      ['5 s', '5 s'],
      ['5S', '5S'],
      ['5w', '5w'],
      ['1e3s', '1e3s'],
      ['1234567890ms', '1234567890ms'],
    ] as const) {
      const result = parseSchedule(text)
      expect(result, text).toHaveProperty('error')
      expect((result as { error: string }).error, text).toContain(`"${entry}"`)
    }
  })

  it('allows 30 attempts and 30 days, and not more', () => {
    expect(parseSchedule(Array(29).fill('1s').join())).toHaveLength(29)
    expect(parseSchedule(Array(30).fill('1s').join())).toHaveProperty('error')
    expect(parseSchedule('30d')).toEqual([30 * DAY])
    expect(parseSchedule('30d,1ms')).toHaveProperty('error')
    expect(parseSchedule('999999999d')).toHaveProperty('error')
  })
})

describe('scheduleProblem', () => {
  it('names what is wrong with delays given as numbers', () => {
    expect(scheduleProblem([])).toBeNull()
    expect(scheduleProblem([0, 1])).toBeNull()
    expect(scheduleProblem(Array(29).fill(1))).toBeNull()
    expect(scheduleProblem(Array(30).fill(1))).toMatch(/29 delays/)
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) expect(scheduleProblem([bad]), String(bad)).toMatch(/whole/)
    expect(scheduleProblem([30 * DAY])).toBeNull()
    expect(scheduleProblem([30 * DAY, 1])).toMatch(/30 days/)
  })
})
