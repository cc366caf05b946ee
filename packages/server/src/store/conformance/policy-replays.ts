import { describe, expect, it } from 'vitest'
import { maskOf } from '../../core/data-classes.ts'
import type { EndpointRow, GivenBody } from '../rows.ts'
import type { Store } from '../store.ts'
import {
  acceptItem,
  ALL_DELIVERIES,
  bytes,
  expectedBody,
  hex,
  LIVE,
  MINUTE,
  newId,
  sha256Hex,
  T0,
  target,
  text,
} from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

type Target = Parameters<Store['replayDeliveries']>[0]['target']
type Replay = (eventPosition: number, what: Target) => ReturnType<Store['replayDeliveries']>

export function policyReplayTests(suite: StoreSuite): void {
  const replay: Replay = (eventPosition, what) =>
    suite.store.replayDeliveries({ eventPosition, target: what, newDeliveryId: newId('delivery'), now: T0 + MINUTE })
  sameDelivery(suite, replay)
  laterEndpoint(suite, replay)
}

const PERSONAL = maskOf(['personal'])
const WIDE: Partial<EndpointRow> = { dataClasses: ['personal'] }

function sameDelivery(suite: StoreSuite, replay: Replay): void {
  async function deadLetter() {
    const { id: endpointId } = await suite.endpoint(WIDE)
    const one = await suite.delivery({ endpointId, item: { classes: PERSONAL } })
    await suite.deadLetter(FIRST_NODE, endpointId)
    return one
  }

  describe('replays after grants were narrowed', () => {
    it('are refused where too much would be sent, and nothing is changed', async () => {
      const { event, endpointId, deliveryId } = await deadLetter()
      await suite.grant(endpointId, ['prompt'])
      const before = await suite.row(deliveryId)
      const targets: Target[] = [
        { kind: 'all' },
        { kind: 'delivery', deliveryId },
        { kind: 'endpoint', endpointId },
        { kind: 'endpoint', endpointId, body: { bytes: bytes('{}'), classes: 0 } },
      ]
      for (const what of targets) expect(await replay(event.position, what)).toBe('policy_changed')
      expect(await suite.row(deliveryId)).toEqual(before)
      expect(await suite.dueEndpoints()).toEqual([])
    })

    it('of several reopen those that may go, and leave the cancelled one as it is', async () => {
      const endpoints = [await suite.endpoint(WIDE), await suite.endpoint(WIDE)]
      const targets = endpoints.map(({ id }) => target(id))
      const { position } = await suite.acceptOne(acceptItem({ classes: PERSONAL, targets }))
      const [narrow, kept] = targets as [(typeof targets)[0], (typeof targets)[0]]
      await suite.grant(narrow.endpointId, [])
      await suite.deadLetter(FIRST_NODE, kept.endpointId)
      const before = await suite.row(narrow.deliveryId)
      expect(await replay(position, { kind: 'all' })).toEqual([
        { id: narrow.deliveryId, endpointId: narrow.endpointId, status: 'cancelled' },
        { id: kept.deliveryId, endpointId: kept.endpointId, status: 'pending' },
      ])
      expect(await suite.row(narrow.deliveryId)).toEqual(before)
      expect((await suite.dueEndpoints()).map(({ endpointId }) => endpointId)).toEqual([kept.endpointId])
    })

    it('send the same bytes once the grants allow it again', async () => {
      const { item, event, endpointId, deliveryId } = await deadLetter()
      await suite.grant(endpointId, [])
      await suite.grant(endpointId, ['personal'])
      expect(await replay(event.position, { kind: 'delivery', deliveryId })).toMatchObject([{ status: 'pending' }])
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      expect(claim.trigger).toBe('manual')
      expect(text(claim.body)).toBe(text(expectedBody(item, T0, 1)))
    })
  })
}

function laterEndpoint(suite: StoreSuite, replay: Replay): void {
  async function eventBefore(): Promise<number> {
    return (await suite.acceptOne(acceptItem({ classes: PERSONAL }))).position
  }
  const deliveries = async () => (await suite.store.listDeliveries(ALL_DELIVERIES)).rows
  const given: GivenBody = { bytes: bytes('{"event_id":"evt_x","n": 1.0}'), classes: 0 }

  describe('replays to an endpoint created later', () => {
    it('send the body given for it, byte for byte', async () => {
      const position = await eventBefore()
      const { id: endpointId } = await suite.endpoint()
      const configVersion = await suite.configVersion()
      const result = await replay(position, { kind: 'endpoint', endpointId, body: given, configVersion })
      expect(result).toMatchObject([{ endpointId, status: 'pending' }])
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      expect(claim).toMatchObject({ trigger: 'manual', classes: 0, number: 1 })
      expect(hex(claim.body)).toBe(hex(given.bytes as Uint8Array))
      const [row] = await deliveries()
      expect(row).toMatchObject({ classes: 0, eventPosition: position })
      expect(hex(row?.bodySha256 as Uint8Array)).toBe(sha256Hex(given.bytes as Uint8Array))
      const read = await suite.store.readBody({ eventPosition: position, endpointId })
      expect(hex(read as Uint8Array)).toBe(hex(given.bytes as Uint8Array))
    })

    it('send the uncut body where that is what it gets, by its classes', async () => {
      const position = await eventBefore()
      const { id: endpointId } = await suite.endpoint(WIDE)
      await replay(position, { kind: 'endpoint', endpointId, body: { bytes: null, classes: PERSONAL } })
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      expect(text(claim.body)).toBe(text(await suite.store.readBody({ eventPosition: position, endpointId: null })))
      await suite.grant(endpointId, [])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toEqual([])
      expect((await deliveries())[0]).toMatchObject({ classes: PERSONAL })
    })

    it('are refused where its grants do not cover the body, and make no delivery', async () => {
      const position = await eventBefore()
      const { id: endpointId } = await suite.endpoint({ dataClasses: ['prompt'] })
      const much: GivenBody = { ...given, classes: PERSONAL }
      for (const body of [much, { bytes: null, classes: PERSONAL }]) {
        expect(await replay(position, { kind: 'endpoint', endpointId, body })).toBe('policy_changed')
      }
      // Without a body it would be the uncut one.
      expect(await replay(position, { kind: 'endpoint', endpointId })).toBe('policy_changed')
      expect(await deliveries()).toEqual([])
    })

    it('are refused as stale where endpoints have changed since the body was rendered', async () => {
      const position = await eventBefore()
      const { id: endpointId } = await suite.endpoint()
      const before = await suite.configVersion()
      await suite.grant(endpointId, ['prompt'])
      const what = { kind: 'endpoint', endpointId, body: given } as const
      expect(await replay(position, { ...what, configVersion: before })).toBe('stale')
      expect(await deliveries()).toEqual([])
      const configVersion = await suite.configVersion()
      expect(await replay(position, { ...what, configVersion })).toMatchObject([{ status: 'pending' }])
    })

    it('keep the bytes of the delivery that is there already', async () => {
      const position = await eventBefore()
      const { id: endpointId } = await suite.endpoint()
      const first = await replay(position, { kind: 'endpoint', endpointId, body: given })
      const other = { bytes: bytes('{"other":1}'), classes: 0 }
      expect(await replay(position, { kind: 'endpoint', endpointId, body: other })).toEqual(first)
      expect(hex((await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)).body)).toBe(hex(given.bytes as Uint8Array))
    })

    it('say of an endpoint that cannot have it only that, whatever it is granted', async () => {
      const position = await eventBefore()
      const deleted = await suite.endpoint({ dataClasses: [] })
      const change = { kind: 'delete' } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: deleted.id, change, now: T0 })
      const strangers = [deleted, await suite.endpoint({ tenantId: 'other', dataClasses: [] })]
      for (const { id: endpointId } of strangers)
        expect(await replay(position, { kind: 'endpoint', endpointId })).toBeNull()
    })
  })
}
