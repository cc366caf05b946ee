import { describe, expect, it } from 'vitest'
import { attemptRecord, failedRecord, LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function releaseTests(suite: StoreSuite): void {
  describe('releases', () => {
    it('uses up nothing: the number is used again, at the time given', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const claims = [{ ...claim, dueAt: T0 + 300 }]
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0 + 1, claims })
      const released = { status: 'pending', attemptCount: 0, nextAttemptAt: T0 + 300, lastOutcome: null }
      expect(await suite.row(deliveryId)).toMatchObject(released)
      expect(await suite.attempts(deliveryId)).toEqual([])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + 299 })).toHaveLength(0)
      expect(await suite.claimOne(FIRST_NODE, endpointId, T0 + 300)).toMatchObject({ number: 1, suspect: false })
    })

    it('gives back a grant', async () => {
      const { endpointId, position } = await suite.delivery({ grant: true })
      const claims = [{ position, number: 1, dueAt: T0 }]
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0, claims })
      expect(await suite.claimOne(FIRST_NODE, endpointId)).toMatchObject({ position, number: 1 })
    })

    it('keeps earlier attempts and their outcome', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      await suite.record(FIRST_NODE, failedRecord(await suite.claimOne(FIRST_NODE, endpointId), T0 + 100))
      const second = await suite.claimOne(FIRST_NODE, endpointId, T0 + 100)
      const claims = [{ ...second, dueAt: T0 + 200 }]
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0 + 101, claims })
      expect(await suite.row(deliveryId)).toMatchObject({ attemptCount: 1, lastOutcome: 'http_error' })
      expect(await suite.attempts(deliveryId)).toMatchObject([{ number: 1, outcome: 'http_error' }])
    })

    it('makes a record for the released claim stale, also when another node has it', async () => {
      await suite.join('node-b')
      const { endpointId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0, claims: [{ ...claim, dueAt: T0 }] })
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('stale')
      const theirs = await suite.claimOne('node-b', endpointId)
      expect(theirs.number).toBe(claim.number)
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('stale')
      expect(await suite.record('node-b', attemptRecord(theirs))).toBe('recorded')
    })

    it('releases nothing that the node does not hold', async () => {
      await suite.join('node-b')
      const { endpointId, deliveryId, position } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const before = await suite.row(deliveryId)
      const give = (nodeId: string, number: number) =>
        suite.store.releaseClaims({ nodeId, now: T0 + 9, claims: [{ position, number, dueAt: T0 + 9 }] })
      await give('node-b', 1)
      await give('node-z', 1)
      await give(FIRST_NODE, 2)
      expect(await suite.row(deliveryId)).toEqual(before)
      await suite.record(FIRST_NODE, attemptRecord(claim))
      await give(FIRST_NODE, 1)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'delivered', attemptCount: 1 })
    })

    it('leaves a delivery cancelled that was cancelled while in flight', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 })
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0, claims: [{ ...claim, dueAt: T0 }] })
      const left = { status: 'cancelled', reason: 'requested', attemptCount: 0, nextAttemptAt: null }
      expect(await suite.row(deliveryId)).toMatchObject(left)
      expect(await suite.dueEndpoints()).toEqual([])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toHaveLength(0)
    })
  })
}
