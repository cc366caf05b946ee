import { describe, expect, it } from 'vitest'
import { FakeClock, gate, settled } from '../../test/fake-clock.ts'
import { scriptedStore } from '../../test/scripted-store.ts'
import type { NodeState, Store } from '../store/store.ts'
import { createNodeLease, DEFAULT_LEASE_MS } from './node-lease.ts'

const state = (input: Partial<NodeState> = {}): NodeState => ({ alive: true, configVersion: 1, highWater: 0, ...input })

function setUp(verbs: Partial<Store>, leaseMs = DEFAULT_LEASE_MS) {
  const clock = new FakeClock()
  const versions: number[] = []
  const errors: unknown[] = []
  const { store, calls } = scriptedStore(verbs)
  const lease = createNodeLease({
    ...{ store, clock, nodeId: 'node-a', leaseMs },
    onConfigVersion: (version) => versions.push(version),
    onError: (error) => errors.push(error),
  })
  return { clock, lease, calls, versions, errors }
}

describe('a lease', () => {
  it('covers nothing before it is renewed for the first time', () => {
    expect(setUp({}).lease.covers(1)).toBe(false)
  })

  it('covers an attempt that ends, with five seconds to spare, before the lease does', async () => {
    const { clock, lease } = setUp({ heartbeat: async () => state() })
    await lease.runOnce()
    expect(lease.covers(60_000)).toBe(true)
    expect(lease.covers(84_999)).toBe(true)
    expect(lease.covers(85_000)).toBe(false)
    await clock.advance(24_999)
    expect(lease.covers(60_000)).toBe(true)
    await clock.advance(1)
    expect(lease.covers(60_000)).toBe(false)
  })

  it('counts from before the request that renewed it', async () => {
    const answer = gate<NodeState>()
    const { clock, lease } = setUp({ heartbeat: () => answer.promise })
    const round = lease.runOnce()
    await clock.advance(10_000)
    expect(lease.covers(1)).toBe(false)
    answer.open(state())
    await round
    expect(lease.covers(74_999)).toBe(true)
    expect(lease.covers(75_000)).toBe(false)
  })

  it('keeps what it had when a renewal fails, until that runs out', async () => {
    let broken = false
    const heartbeat = async () => {
      if (broken) throw new Error('down')
      return state()
    }
    const { clock, lease, errors } = setUp({ heartbeat })
    lease.start()
    await settled()
    broken = true
    await clock.advance(80_000)
    expect(lease.covers(4999)).toBe(true)
    expect(lease.covers(60_000)).toBe(false)
    await clock.advance(5_000)
    expect(lease.covers(0)).toBe(false)
    expect(errors.length).toBeGreaterThan(10)
    broken = false
    await clock.advance(5_000)
    expect(lease.covers(60_000)).toBe(true)
    await lease.stop()
  })

  it('is measured by the monotonic clock: no jump of the wall clock changes it', async () => {
    const { clock, lease } = setUp({ heartbeat: async () => state() })
    await lease.runOnce()
    clock.wallOffset = 10 * 365 * 86_400_000
    expect(lease.covers(60_000)).toBe(true)
    clock.wallOffset *= -1
    await clock.advance(85_000)
    expect(lease.covers(0)).toBe(false)
  })

  it('joins again after it was lost, and says so', async () => {
    const { lease, calls, versions } = setUp({
      heartbeat: async () => state({ alive: false, configVersion: 4 }),
      joinNode: async () => state({ configVersion: 5 }),
    })
    expect(await lease.runOnce()).toEqual({ alive: false })
    expect(calls.map(({ verb }) => verb)).toEqual(['heartbeat', 'joinNode'])
    expect(versions).toEqual([5])
    expect(lease.covers(60_000)).toBe(true)
  })

  it('persists service time and passes the configuration on, several times within each lease', async () => {
    const { clock, lease, calls, versions } = setUp({ heartbeat: async () => state({ configVersion: 3 }) })
    const start = clock.now()
    lease.start()
    await clock.advance(DEFAULT_LEASE_MS)
    expect(calls.length).toBeGreaterThanOrEqual(10)
    expect(calls[1]?.input).toEqual({ nodeId: 'node-a', leaseMs: 90_000, highWater: start + 5000 })
    expect(new Set(versions)).toEqual(new Set([3]))
    await lease.stop()
    expect(clock.timers).toBe(0)
  })
})
