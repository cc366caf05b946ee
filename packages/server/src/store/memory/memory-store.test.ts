import { describe, expect, it } from 'vitest'
import { acceptItem, attemptRecord, endpointRow, LIVE, T0, target } from '../conformance/builders.ts'
import { describeStore } from '../conformance/index.ts'
import type { DeliveryState, StoreVerb } from './state.ts'
import { MemoryStore } from './memory-store.ts'

describeStore(
  'memory',
  async () => {
    let time = 0
    return {
      store: new MemoryStore({ clock: () => time }),
      advanceLease: (ms) => {
        time += ms
      },
      cleanup: async () => {},
    }
  },
  { leases: true },
)

const NODE = 'node-a'

async function withEndpoint(store: MemoryStore): Promise<{ endpointId: string; configVersion: number }> {
  await store.joinNode({ nodeId: NODE, leaseMs: 1000 })
  const endpoint = endpointRow()
  const answer = await store.createEndpoint({ endpoint, maxPerTenant: 9 })
  return { endpointId: endpoint.id, configVersion: answer?.configVersion as number }
}

describe('memory store: hooks', () => {
  it('does nothing when it fails before the commit, and everything when it fails after it', async () => {
    let failing: 'before' | 'after' | null = null
    const fail = (when: 'before' | 'after') => () => {
      if (failing === when) throw new Error(when)
    }
    const store = new MemoryStore({ clock: () => 0, hooks: { before: fail('before'), after: fail('after') } })
    const items = [acceptItem({ configVersion: 1 })]
    failing = 'before'
    await expect(store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })).rejects.toThrow(
      'before',
    )
    expect(store.snapshot().events).toHaveLength(0)
    failing = 'after'
    await expect(store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })).rejects.toThrow(
      'after',
    )
    expect(store.snapshot().events).toHaveLength(1)
    failing = null
    const again = await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
    expect(again).toMatchObject([{ kind: 'duplicate' }])
  })

  it('commits in the order in which the calls are let in, each whole', async () => {
    const arrived: { verb: StoreVerb; open: () => void }[] = []
    let holding = false
    const before = (verb: StoreVerb) =>
      holding ? new Promise<void>((open) => arrived.push({ verb, open })) : undefined
    const store = new MemoryStore({ clock: () => 0, hooks: { before } })
    const { endpointId, configVersion } = await withEndpoint(store)
    const items = [acceptItem({ targets: [target(endpointId)], configVersion })]
    await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
    holding = true
    const requests = [{ endpointId, limit: 1 }]
    const first = store.claimDue({ nodeId: NODE, now: T0, requests })
    const second = store.claimDue({ nodeId: NODE, now: T0, requests })
    expect(arrived.map(({ verb }) => verb)).toEqual(['claimDue', 'claimDue'])
    arrived[1]?.open()
    expect((await second).claims).toHaveLength(1)
    arrived[0]?.open()
    expect((await first).claims).toHaveLength(0)
  })

  it('takes what was handed over at the call, not what became of it before the commit', async () => {
    let open = () => {}
    const store = new MemoryStore({ clock: () => 0, hooks: { before: () => new Promise((done) => (open = done)) } })
    const item = acceptItem({ configVersion: 1, tenantId: 'mine' })
    const call = store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items: [item] })
    item.tenantId = 'other'
    open()
    await call
    expect(store.snapshot().events).toMatchObject([{ tenantId: 'mine' }])
  })

  it('may never answer, although the change is made', async () => {
    const store = new MemoryStore({ clock: () => 0, hooks: { after: () => new Promise<void>(() => {}) } })
    let answered = false
    const items = [acceptItem({ configVersion: 1 })]
    void store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items }).then(() => (answered = true))
    await new Promise((turn) => setImmediate(turn))
    expect(answered).toBe(false)
    expect(store.snapshot().events).toHaveLength(1)
  })
})

describe('memory store: snapshots', () => {
  it('show events, deliveries and attempts, and share nothing with the store', async () => {
    const store = new MemoryStore({ clock: () => 0 })
    const { endpointId, configVersion } = await withEndpoint(store)
    const granted = target(endpointId, true)
    const items = [acceptItem({ targets: [granted, target(endpointId)], configVersion, deadline: T0 + 5 })]
    await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
    const before = store.snapshot()
    expect(before.deliveries).toMatchObject([
      { id: granted.deliveryId, heldBy: NODE, attemptCount: 1, deadline: T0 + 5, cycleStart: 1, suspect: false },
      { heldBy: null, attemptCount: 0, nextAttemptAt: T0 },
    ])
    expect(before.attempts).toMatchObject([{ deliveryId: granted.deliveryId, nodeId: NODE, number: 1, outcome: null }])
    for (const event of before.events) event.body.fill(0)
    for (const delivery of before.deliveries) delivery.status = 'expired'
    const after = store.snapshot()
    expect(after.events[0]?.body[0]).toBe('{'.charCodeAt(0))
    expect(after.deliveries.map(({ status }) => status)).toEqual(['pending', 'pending'])
    expect(await store.findEvents({ scope: LIVE, eventId: items[0]?.eventId as string })).toHaveLength(1)
  })
})

describe('memory store: planted bugs', () => {
  it('can be planted by overriding one small method', async () => {
    class NoFence extends MemoryStore {
      protected override isHeldBy(delivery: DeliveryState): boolean {
        return delivery.holder !== null
      }
    }
    const record = async (store: MemoryStore) => {
      const { endpointId, configVersion } = await withEndpoint(store)
      const items = [acceptItem({ targets: [target(endpointId)], configVersion })]
      await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
      const requests = [{ endpointId, limit: 1 }]
      const { claims } = await store.claimDue({ nodeId: NODE, now: T0, requests })
      const records = claims.map((claim) => attemptRecord(claim))
      return (await store.recordAttempts({ nodeId: 'node-b', now: T0, records })).results
    }
    expect(await record(new MemoryStore({ clock: () => 0 }))).toEqual(['stale'])
    expect(await record(new NoFence({ clock: () => 0 }))).toEqual(['recorded'])
  })
})
