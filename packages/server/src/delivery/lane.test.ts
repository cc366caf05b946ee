import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endpoint } from '../../test/endpoint.ts'
import { Lane } from './lane.ts'

const PLENTY = endpoint({ maxInFlight: 8 })

function takeAll(lane: Lane, row = PLENTY, monotonic = 0): number {
  let taken = 0
  for (; lane.free(row, monotonic) > 0; taken++) lane.take(row)
  return taken
}

describe('a lane', () => {
  it('starts with two requests at once', () => {
    expect(takeAll(new Lane('ep_1'))).toBe(2)
  })

  it('never lets more in flight than the endpoint allows, nor fewer than none', () => {
    const lane = new Lane('ep_1')
    for (let success = 0; success < 20; success++) lane.succeeded(PLENTY)
    expect(takeAll(lane)).toBe(8)
    expect(lane.free(endpoint({ maxInFlight: 3 }), 0)).toBe(0)
    expect(lane.free(endpoint({ maxInFlight: 9 }), 0)).toBe(0)
  })

  it('obeys a limit that was lowered below what it had earned, and below its first two', () => {
    const lane = new Lane('ep_1')
    for (let success = 0; success < 20; success++) lane.succeeded(PLENTY)
    expect(lane.free(endpoint({ maxInFlight: 3 }), 0)).toBe(3)
    expect(new Lane('ep_2').free(endpoint({ maxInFlight: 1 }), 0)).toBe(1)
  })

  it('earns one more request with each success, and loses half with each failure, but never the last one', () => {
    const lane = new Lane('ep_1')
    lane.succeeded(PLENTY)
    expect(lane.free(PLENTY, 0)).toBe(3)
    for (let success = 0; success < 20; success++) lane.succeeded(PLENTY)
    expect(lane.free(PLENTY, 0)).toBe(8)
    lane.failed()
    expect(lane.free(PLENTY, 0)).toBe(4)
    lane.failed()
    lane.failed()
    lane.failed()
    expect(lane.free(PLENTY, 0)).toBe(1)
    lane.succeeded(PLENTY)
    expect(lane.free(PLENTY, 0)).toBe(2)
  })
})

describe('the rate limit', () => {
  const limited = endpoint({ maxInFlight: 100, rateLimit: 10 })

  /** A lane that is held back by nothing but the rate. */
  function eager(): Lane {
    const lane = new Lane('ep_1')
    for (let success = 0; success < 200; success++) lane.succeeded(limited)
    return lane
  }

  it('begins with one attempt and refills by time, up to one second of it', () => {
    const lane = eager()
    expect(takeAll(lane, limited, 0)).toBe(1)
    expect(lane.free(limited, 99)).toBe(0)
    expect(lane.free(limited, 100)).toBe(1)
    expect(takeAll(lane, limited, 60_000)).toBe(10)
    expect(lane.free(limited, 60_000)).toBe(0)
  })

  it('says how long to wait, and after that long there is one', () => {
    const lane = eager()
    expect(lane.waitForRate(limited, 0)).toBe(0)
    takeAll(lane, limited, 0)
    const wait = lane.waitForRate(limited, 0)
    expect(wait).toBe(100)
    expect(lane.waitForRate(limited, 40)).toBe(60)
    expect(lane.free(limited, wait)).toBe(1)
    expect(lane.waitForRate(endpoint(), 0)).toBe(0)
  })

  it('lets no more through in any time than the bucket and what flows into it', () => {
    const steps = fc.array(fc.record({ pass: fc.nat(3000), want: fc.nat(20) }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 50 }), (path, rateLimit) => {
        const row = endpoint({ maxInFlight: 100_000, rateLimit })
        const lane = new Lane('ep_1')
        for (let success = 0; success < 100_000; success += 1000) lane.succeeded(row)
        const starts: number[] = []
        let now = 0
        for (const { pass, want } of path) {
          now += pass
          for (let count = 0; count < want && lane.free(row, now) > 0; count++) {
            lane.take(row)
            starts.push(now)
            lane.inFlight--
          }
        }
        starts.forEach((from, first) => {
          starts.slice(first).forEach((to, index) => {
            expect(index + 1).toBeLessThanOrEqual(rateLimit + ((to - from) * rateLimit) / 1000 + 1e-6)
          })
        })
      }),
      { numRuns: 60 },
    )
  })

  it('does not charge for a slot that was given back unused', () => {
    const lane = eager()
    lane.take(limited)
    lane.giveBack()
    expect(lane.inFlight).toBe(0)
    expect(lane.free(limited, 0)).toBe(1)
    for (let round = 0; round < 1000; round++) {
      lane.take(limited)
      lane.giveBack()
    }
    expect(lane.free(limited, 0)).toBe(1)
  })

  it('set later starts without debt and without a hoard', () => {
    const lane = eager()
    const free = endpoint({ maxInFlight: 100 })
    for (let round = 0; round < 50; round++) {
      lane.take(free)
      if (round % 2 === 0) lane.inFlight--
      else lane.giveBack()
      lane.free(free, round)
    }
    expect(takeAll(lane, limited, 100)).toBe(1)
    expect(lane.free(limited, 200)).toBe(1)
  })
})
