import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fullBucket, takeToken, untilToken } from './token-bucket.ts'

describe('a token bucket', () => {
  it('gives its stock at once and then as many as come in', () => {
    const limits = { perSecond: 2, burst: 3 }
    let bucket = fullBucket(limits, 0)
    const take = (now: number) => {
      const left = takeToken(bucket, limits, now)
      bucket = left ?? bucket
      return left !== null
    }
    expect([0, 0, 0, 0, 499, 500, 500, 1000, 100_000, 100_000, 100_000, 100_000].map(take)).toEqual([
      ...[true, true, true, false, false, true, false, true],
      ...[true, true, true, false],
    ])
    expect(untilToken(bucket, limits, 100_000)).toBe(500)
    expect(untilToken(bucket, limits, 100_400)).toBe(100)
    expect(untilToken(bucket, limits, 100_500)).toBe(0)
  })

  it('never gives more than stock and rate, whatever is asked when, also by a clock that goes back', () => {
    const asks = fc.array(fc.integer({ min: -500, max: 3000 }), { minLength: 1, maxLength: 200 })
    const limits = fc.record({ perSecond: fc.constantFrom(0.5, 1, 7, 1000), burst: fc.integer({ min: 1, max: 50 }) })
    fc.assert(
      fc.property(limits, asks, (given, steps) => {
        let bucket = fullBucket(given, 0)
        let [now, latest, taken] = [0, 0, 0]
        for (const step of steps) {
          now = Math.max(0, now + step)
          latest = Math.max(latest, now)
          const left = takeToken(bucket, given, now)
          if (left === null) expect(untilToken(bucket, given, now)).toBeGreaterThan(0)
          else taken++
          bucket = left ?? bucket
        }
        expect(taken).toBeLessThanOrEqual(given.burst + (latest * given.perSecond) / 1000)
      }),
    )
  })

  it('says when it is worth asking again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 10_000 }), (rate, at) => {
        const limits = { perSecond: rate, burst: 1 }
        const empty = takeToken(fullBucket(limits, at), limits, at)
        if (empty === null) throw new Error('a full bucket gives one')
        const wait = untilToken(empty, limits, at)
        expect(takeToken(empty, limits, at + wait)).not.toBeNull()
      }),
    )
  })
})
