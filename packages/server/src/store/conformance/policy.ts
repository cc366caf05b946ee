import { describe, expect, it } from 'vitest'
import { maskOf } from '../../core/data-classes.ts'
import type { EndpointRow } from '../rows.ts'
import { acceptItem, attemptRecord, failedRecord, LIVE, MINUTE, preparedBody, T0, target } from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

export function policyTests(suite: StoreSuite): void {
  narrowing(suite)
  inFlight(suite)
  many(suite)
  widening(suite)
}

const PERSONAL = maskOf(['personal'])
const PROMPT = maskOf(['prompt'])
const WIDE: Partial<EndpointRow> = { dataClasses: ['public', 'summary', 'personal', 'prompt'] }
const CANCELLED = { status: 'cancelled', reason: 'policy_changed', nextAttemptAt: null }

/** A delivery with values of these classes, to an endpoint that may receive them. */
async function wide(suite: StoreSuite, classes = PERSONAL, endpointId?: string): Promise<OneDelivery> {
  return suite.delivery({ endpointId: endpointId ?? (await suite.endpoint(WIDE)).id, item: { classes } })
}

function cancelHeld(suite: StoreSuite, limit = 5000): Promise<number> {
  return suite.store.cancelHeld({ now: T0 + MINUTE, disabledBefore: 0, limit })
}

function narrowing(suite: StoreSuite): void {
  describe('grants: narrowed', () => {
    it('ends at once what waits and holds more, and leaves everything else as it is', async () => {
      const beyond = await wide(suite)
      const { endpointId } = beyond
      const within = await wide(suite, PROMPT | maskOf(['public', 'summary']), endpointId)
      const elsewhere = await wide(suite)
      const before = [await suite.row(within.deliveryId), await suite.row(elsewhere.deliveryId)]
      await suite.grant(endpointId, ['prompt'], T0 + 5)
      expect(await suite.row(beyond.deliveryId)).toMatchObject({ ...CANCELLED, attemptCount: 0, updatedAt: T0 + 5 })
      expect([await suite.row(within.deliveryId), await suite.row(elsewhere.deliveryId)]).toEqual(before)
      const [claim, ...others] = await suite.claim(FIRST_NODE, endpointId)
      expect(others).toEqual([])
      expect(claim?.deliveryId).toBe(within.deliveryId)
      expect(await cancelHeld(suite)).toBe(0)
    })

    it('looks at the body that would be sent, not at the event', async () => {
      const { id: endpointId } = await suite.endpoint(WIDE)
      const cut = target(endpointId, false, 0)
      const item = acceptItem({ classes: PERSONAL | PROMPT, targets: [cut] })
      await suite.acceptOne({ ...item, bodies: [preparedBody(item, '{}}', PROMPT)] })
      await suite.grant(endpointId, ['prompt'])
      expect(await suite.row(cut.deliveryId)).toMatchObject({ status: 'pending' })
      await suite.grant(endpointId, [])
      expect(await suite.row(cut.deliveryId)).toMatchObject(CANCELLED)
    })

    it('ends suspects, and what a paused endpoint holds', async () => {
      const held = await wide(suite)
      const suspect = await wide(suite)
      await suite.claimOne(FIRST_NODE, suspect.endpointId)
      await suite.crashAll('node-b')
      expect((await suite.rescueAll('node-b')).rescued).toHaveLength(1)
      const pause = { kind: 'status', status: 'paused', reason: null } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: held.endpointId, change: pause, now: T0 })
      for (const { endpointId, deliveryId } of [suspect, held]) {
        await suite.grant(endpointId, [])
        expect(await suite.row(deliveryId)).toMatchObject(CANCELLED)
      }
      expect(await suite.claimSuspect('node-b')).toBeNull()
    })

    it('ends nothing when something else of the endpoint changes', async () => {
      const { endpointId, deliveryId } = await wide(suite)
      const change = { kind: 'patch', patch: { description: 'other', dataClasses: WIDE.dataClasses ?? [] } } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
      const next = { kind: 'patch', patch: { maxInFlight: 1 } } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: next, now: T0 })
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', updatedAt: T0 })
    })

    it('makes stale what was matched with the wider grants before (G5)', async () => {
      const { id: endpointId } = await suite.endpoint(WIDE)
      const matched = acceptItem({
        classes: PERSONAL,
        configVersion: await suite.configVersion(),
        targets: [target(endpointId, true)],
      })
      await suite.grant(endpointId, [])
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [matched] }
      const configVersion = await suite.configVersion()
      expect(await suite.store.acceptEvents(batch)).toEqual([{ kind: 'stale', configVersion }])
      expect(await suite.store.findEvents({ scope: LIVE, eventId: matched.eventId })).toEqual([])
      expect(
        await suite.store.findDelivery({ scope: LIVE, deliveryId: matched.targets[0]?.deliveryId ?? '' }),
      ).toBeNull()
    })
  })
}

function inFlight(suite: StoreSuite): void {
  async function narrowedInFlight() {
    const { endpointId, deliveryId } = await wide(suite)
    const claim = await suite.claimOne(FIRST_NODE, endpointId)
    await suite.grant(endpointId, [])
    expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', reason: null, attemptCount: 1 })
    return { endpointId, deliveryId, claim }
  }

  describe('grants: narrowed while an attempt is in flight', () => {
    it('lets the attempt end, and keeps its success', async () => {
      const { deliveryId, claim } = await narrowedInFlight()
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'delivered', reason: null })
    })

    it('starts no other when it fails', async () => {
      const { endpointId, deliveryId, claim } = await narrowedInFlight()
      expect(await suite.record(FIRST_NODE, failedRecord(claim, T0 + 10))).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({ ...CANCELLED, attemptCount: 1, lastOutcome: 'http_error' })
      expect(await suite.dueEndpoints()).toEqual([])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toEqual([])
      expect(await suite.attempts(deliveryId)).toHaveLength(1)
    })

    it('ends it when the node dies', async () => {
      const { deliveryId } = await narrowedInFlight()
      await suite.crashAll('node-b')
      expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 1 })
      expect(await suite.row(deliveryId)).toMatchObject({ ...CANCELLED, lastOutcome: 'unknown' })
      expect(await suite.claimSuspect('node-b')).toBeNull()
    })

    it('never claims it again when it is given back, and ends it', async () => {
      const { endpointId, deliveryId, claim } = await narrowedInFlight()
      // The sweep has been here before, and has found nothing.
      expect(await cancelHeld(suite)).toBe(0)
      const pause = { kind: 'status', status: 'paused', reason: null } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: pause, now: T0 })
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0, claims: [{ ...claim, dueAt: T0 }] })
      expect(await cancelHeld(suite)).toBe(1)
      expect(await suite.row(deliveryId)).toMatchObject({ ...CANCELLED, attemptCount: 0 })
    })
  })
}

function many(suite: StoreSuite): void {
  const MORE_THAN_AT_ONCE = 1100

  async function narrowedMany(): Promise<string> {
    const { id: endpointId } = await suite.endpoint(WIDE)
    const items = Array.from({ length: MORE_THAN_AT_ONCE }, () => {
      return acceptItem({ runId: null, classes: PERSONAL, targets: [target(endpointId)] })
    })
    await suite.accept(items)
    await suite.grant(endpointId, ['prompt'], T0 + 5)
    expect(await count(endpointId)).toEqual({ cancelled: 1000, pending: 100 })
    return endpointId
  }

  async function count(endpointId: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    const filter = { eventPosition: null, runId: null, types: [], errorCode: null, since: null, until: null }
    for (const status of ['cancelled', 'pending'] as const) {
      let after: number | null = null
      counts[status] = 0
      do {
        const { rows, next } = await suite.store.listDeliveries({
          scope: LIVE,
          filter: { ...filter, endpointId, statuses: [status], deadLetters: false },
          page: { limit: 1000, after },
        })
        const wrong = rows.filter(({ reason }) => (reason === 'policy_changed') !== (status === 'cancelled'))
        expect(wrong).toEqual([])
        counts[status] += rows.length
        after = next
      } while (after !== null)
    }
    return counts
  }

  describe('grants: narrowed where very much waits', () => {
    it('ends 1,000 at once, and the rest when it is swept, at most the limit a call', async () => {
      const endpointId = await narrowedMany()
      expect(await cancelHeld(suite, 60)).toBe(60)
      expect(await count(endpointId)).toEqual({ cancelled: 1060, pending: 40 })
      expect(await cancelHeld(suite, 60)).toBe(40)
      expect(await cancelHeld(suite, 60)).toBe(0)
      expect(await count(endpointId)).toEqual({ cancelled: 1100, pending: 0 })
    })

    it('claims none of the rest, and ends it instead', async () => {
      const endpointId = await narrowedMany()
      const within = await wide(suite, PROMPT, endpointId)
      const claims = await suite.claim(FIRST_NODE, endpointId, { limit: 200, now: T0 + MINUTE })
      expect(claims.map(({ deliveryId }) => deliveryId)).toEqual([within.deliveryId])
      expect(await count(endpointId)).toEqual({ cancelled: 1100, pending: 1 })
    })

    it('ends the rest before it gives the endpoint more again', async () => {
      const endpointId = await narrowedMany()
      await suite.grant(endpointId, ['prompt', 'personal'], T0 + 6)
      expect(await count(endpointId)).toEqual({ cancelled: 1100, pending: 0 })
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toEqual([])
    })
  })
}

function widening(suite: StoreSuite): void {
  describe('grants: widened again', () => {
    it('bring nothing back that was ended, and let new deliveries through', async () => {
      const { endpointId, deliveryId } = await wide(suite)
      await suite.grant(endpointId, [], T0 + 1)
      const ended = await suite.row(deliveryId)
      await suite.grant(endpointId, ['personal'], T0 + 2)
      expect(await suite.row(deliveryId)).toEqual(ended)
      const fresh = await wide(suite, PERSONAL, endpointId)
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      expect(claim.deliveryId).toBe(fresh.deliveryId)
    })
  })
}
