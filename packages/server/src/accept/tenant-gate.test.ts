import type { TenantLimits } from '../store/rows.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import { TenantGate, type Limited } from './tenant-gate.ts'

const NONE: TenantLimits = { eventsPerSecond: null, maxPending: null }
const ACME = { mode: 'live', tenantId: 'acme' } as const

let now: number
/** What is pending in the store, and how often it was asked. */
let pending: number
let counts: number[]
let gate: TenantGate
beforeEach(() => {
  now = 0
  pending = 0
  counts = []
  gate = new TenantGate({
    store: {
      countPending({ limit }) {
        counts.push(limit)
        return Promise.resolve(Math.min(pending, limit))
      },
    },
    clock: { monotonic: () => now },
    defaults: { eventsPerSecond: 2, maxPending: 10_000 },
  })
})

/** How many of so many were let in. */
function publish(count: number, deliveries = 0, own = NONE, whose: Parameters<TenantGate['admit']>[0] = ACME) {
  const answers = Array.from({ length: count }, () => gate.admit(whose, own, deliveries))
  return { taken: answers.filter((answer) => answer === null).length, last: answers.at(-1) as Limited | null }
}

/** Lets a count that has begun come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the rate of a tenant', () => {
  it('lets ten seconds of it come at once, then as much as the rate, and says when to try again', () => {
    expect(publish(25)).toMatchObject({ taken: 20, last: { code: 'rate_limited', retryAfterMs: 500 } })
    now += 1500
    expect(publish(25)).toMatchObject({ taken: 3, last: { retryAfterMs: 500 } })
    expect(gate.rateOf(ACME)).toEqual({ quota: 20, windowSeconds: 10, remaining: 0, resetSeconds: 10 })
  })

  it('is that of one tenant in one mode', () => {
    expect(publish(25).taken).toBe(20)
    expect(publish(25, 0, NONE, { mode: 'test', tenantId: 'acme' }).taken).toBe(20)
    expect(publish(25, 0, NONE, { mode: 'live', tenantId: 'other' }).taken).toBe(20)
    expect(gate.rateOf({ mode: 'live', tenantId: 'nobody' })).toBeNull()
  })

  it('can be its own, and a change gives no new stock', () => {
    const own = { eventsPerSecond: 0.5, maxPending: null }
    expect(publish(9, 0, own)).toMatchObject({ taken: 5, last: { retryAfterMs: 2000 } })
    expect(publish(9, 0, { eventsPerSecond: 100, maxPending: null }).taken).toBe(0)
    now += 100
    expect(publish(20, 0, { eventsPerSecond: 100, maxPending: null }).taken).toBe(10)
  })

  it('is remembered for as many as matter, and no more', () => {
    for (let n = 0; n < 20_000; n++) {
      now += 1
      gate.admit({ mode: 'live', tenantId: `t${n}` }, NONE, 0)
    }
    expect(gate.rateOf({ mode: 'live', tenantId: 't0' })).toBeNull()
    expect(gate.rateOf({ mode: 'live', tenantId: 't19999' })?.remaining).toBe(19)
  })
})

describe('what a tenant may have pending', () => {
  const own = { eventsPerSecond: 100_000, maxPending: 10_000 }

  it('is not counted for tenants that make little', async () => {
    publish(1000, 1, own)
    publish(5000, 0, own)
    await settled()
    expect(counts).toEqual([])
  })

  it('is what was counted and what was made since; the count is made anew when it is old and it matters', async () => {
    pending = 6000
    publish(1001, 1, own)
    await settled()
    expect(counts).toEqual([10_001])
    // 6,000 were counted; what was made before the count is among them, but for the one with which it began.
    expect(publish(5000, 1, own)).toMatchObject({ taken: 3999, last: { code: 'quota_exceeded', retryAfterMs: 10_000 } })
    pending = 100
    expect(publish(10, 1, own).taken).toBe(0)
    now += 10_000
    expect(publish(1, 1, own).taken).toBe(0)
    await settled()
    expect(publish(10, 1, own).taken).toBe(10)
    expect(counts).toHaveLength(2)
  })

  it('holds back nothing that makes no delivery, and nothing while the store cannot count', async () => {
    pending = 20_000
    publish(1001, 1, own)
    await settled()
    expect(publish(5, 1, own).taken).toBe(0)
    expect(publish(5, 0, own).taken).toBe(5)
    const away = new TenantGate({
      store: { countPending: () => Promise.reject(new Error('away')) },
      clock: { monotonic: () => now },
      defaults: { eventsPerSecond: 100_000, maxPending: 10 },
    })
    for (let n = 0; n < 20; n++) expect(away.admit(ACME, NONE, 1)).toBeNull()
    await settled()
    expect(away.admit(ACME, NONE, 1)).toBeNull()
  })

  it('takes nothing off the rate where it refuses', async () => {
    pending = 20_000
    publish(1001, 1, own)
    await settled()
    const before = gate.rateOf(ACME)?.remaining
    publish(50, 1, own)
    expect(gate.rateOf(ACME)?.remaining).toBe(before)
  })
})
