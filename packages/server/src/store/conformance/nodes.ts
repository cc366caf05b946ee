import { describe, expect, it } from 'vitest'
import { attemptRecord, LEASE_MS, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function nodeTests(suite: StoreSuite): void {
  membership(suite)
  leases(suite)
}

function membership(suite: StoreSuite): void {
  describe('nodes', () => {
    const beat = (nodeId: string, highWater = 0) => suite.store.heartbeat({ nodeId, leaseMs: LEASE_MS, highWater })

    it('are alive after joining, not before and not after leaving', async () => {
      expect(await beat('node-z')).toMatchObject({ alive: false })
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
      await suite.store.leaveNode({ nodeId: FIRST_NODE, highWater: 0 })
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: false })
      await suite.join(FIRST_NODE)
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
    })

    it('learn the config version', async () => {
      await suite.endpoint()
      const configVersion = await suite.configVersion()
      expect(await beat(FIRST_NODE)).toMatchObject({ configVersion })
      expect(await suite.store.joinNode({ nodeId: 'node-b', leaseMs: LEASE_MS })).toMatchObject({ configVersion })
    })

    it('keep the highest service time that any of them has seen', async () => {
      expect(await beat(FIRST_NODE)).toMatchObject({ highWater: 0 })
      expect(await beat(FIRST_NODE, T0 + 5)).toMatchObject({ highWater: T0 + 5 })
      expect(await beat(FIRST_NODE, T0 + 4)).toMatchObject({ highWater: T0 + 5 })
      await suite.store.leaveNode({ nodeId: FIRST_NODE, highWater: T0 + 9 })
      const joined = await suite.store.joinNode({ nodeId: 'node-b', leaseMs: LEASE_MS })
      expect(joined).toMatchObject({ alive: true, highWater: T0 + 9 })
    })
  })
}

function leases(suite: StoreSuite): void {
  const reason = 'only one process can have this store, so there are no leases'
  const withLeases = (name: string, run: () => Promise<void>) =>
    it(name, async (context) => {
      if (!suite.capabilities.leases) context.skip(reason)
      await run()
    })
  const beat = (nodeId: string) => suite.store.heartbeat({ nodeId, leaseMs: LEASE_MS, highWater: 0 })

  describe('leases', () => {
    withLeases('protect the claims of a node that is alive', async () => {
      await suite.join('node-b')
      const { endpointId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      for (let time = 0; time < 3; time++) {
        await suite.advanceLease(LEASE_MS - 1000)
        expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
        await suite.join('node-b')
        expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 0 })
      }
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
    })

    withLeases('can be renewed late, as long as nobody has rescued', async () => {
      const { endpointId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
      expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 0 })
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
    })

    withLeases('are lost for good when somebody has begun to rescue', async () => {
      const { id: endpointId } = await suite.endpoint()
      for (let count = 0; count < 2; count++) await suite.delivery({ endpointId })
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(2)
      await suite.crashAll('node-b')
      const first = await suite.store.rescueClaims({ nodeId: 'node-b', now: T0, limit: 1 })
      expect(first).toMatchObject({ ended: 0, more: true })
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: false })
      expect((await suite.rescueAll('node-b')).rescued).toHaveLength(1)
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: false })
      await suite.join(FIRST_NODE)
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
    })

    withLeases('let a node that lost its own claim nothing: it could only be rescued again', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      await suite.advanceLease(LEASE_MS + 1)
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(0)
      expect(await suite.row(deliveryId)).toMatchObject({ attemptCount: 0 })
      expect(await beat(FIRST_NODE)).toMatchObject({ alive: true })
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(1)
    })

    withLeases('are those of each node alone', async () => {
      await suite.join('node-b', 'node-c')
      const [mine, theirs] = [await suite.delivery(), await suite.delivery()]
      await suite.claimOne(FIRST_NODE, mine.endpointId)
      await suite.claimOne('node-b', theirs.endpointId)
      await suite.advanceLease(LEASE_MS / 2)
      expect(await beat('node-b')).toMatchObject({ alive: true })
      expect(await beat('node-c')).toMatchObject({ alive: true })
      await suite.advanceLease(LEASE_MS / 2 + 1)
      const { rescued } = await suite.rescueAll('node-c')
      expect(rescued.map(({ position }) => position)).toEqual([mine.position])
    })
  })
}
