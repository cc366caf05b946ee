import { describe, expect, it } from 'vitest'
import { LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function relayTests(suite: StoreSuite): void {
  const relay = async () => (await suite.endpoint({ kind: 'relay', url: null, retrySchedule: [] })).id
  const drop = async (before: number, limit = 10) =>
    (await suite.store.dropRelays({ before, now: T0 + MINUTE, limit })).endpointIds
  const isThere = async (endpointId: string) => (await suite.store.findEndpoint({ scope: LIVE, endpointId })) !== null
  const sweep = () => suite.store.cancelHeld({ now: T0 + MINUTE, disabledBefore: 0, limit: 100 })

  describe('relays', () => {
    it('go once nobody has listened for long enough, those that were left first, and no other endpoint does', async () => {
      const http = (await suite.endpoint()).id
      const pull = (await suite.endpoint({ kind: 'pull', url: null })).id
      const [first, second] = [await relay(), await relay()]
      expect(await drop(T0)).toEqual([])
      await suite.store.noteListeners({ endpointIds: [first, http, 'ep_nobody'], now: T0 + 10 })
      expect(await drop(T0 + 10)).toEqual([second])
      expect(await drop(T0 + 11, 1)).toEqual([first])
      expect(await drop(T0 + 11)).toEqual([])
      expect(await Promise.all([first, second, http, pull].map(isThere))).toEqual([false, false, true, true])
    })

    it('are noted without a change of the configuration, and a time that is older than the one on record changes nothing', async () => {
      const id = await relay()
      const version = await suite.configVersion()
      await suite.store.noteListeners({ endpointIds: [id], now: T0 + 10 })
      await suite.store.noteListeners({ endpointIds: [id], now: T0 + 5 })
      expect(await suite.configVersion()).toBe(version)
      expect(await drop(T0 + 10)).toEqual([])
      expect(await drop(T0 + 11)).toEqual([id])
      expect(await suite.configVersion()).toBeGreaterThan(version)
    })

    it('leave what is pending to be cancelled for want of a listener, and an entry in the audit log', async () => {
      const endpointId = await relay()
      const { deliveryId } = await suite.delivery({ endpointId })
      await drop(T0 + 1)
      expect(await sweep()).toBe(1)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'listener_gone' })
      const page = { limit: 10, after: null }
      const filter = { actor: null, actions: [], target: endpointId, since: null, until: null }
      const { rows } = await suite.store.listAudit({ scope: LIVE, filter, page })
      expect(rows.map(({ content }) => JSON.parse(content) as unknown)).toMatchObject([
        { action: 'endpoint.deleted', actor: 'system', detail: { reason: 'listener_gone' } },
      ])
    })

    it('that are deleted on request say so', async () => {
      const endpointId = await relay()
      const { deliveryId } = await suite.delivery({ endpointId })
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: T0 })
      expect(await drop(T0 + 1)).toEqual([])
      await sweep()
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'endpoint_deleted' })
    })

    it('have their attempts claimed as others do, and none again after a crash: the one there is was used up', async () => {
      const endpointId = await relay()
      const { deliveryId } = await suite.delivery({ endpointId })
      expect(await suite.dueEndpoints()).toMatchObject([{ endpointId }])
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 1 })
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'listener_gone' })
      expect(await suite.attempts(deliveryId)).toMatchObject([{ number: 1, outcome: 'unknown' }])
      expect(await suite.claimSuspect('node-b')).toBeNull()
    })
  })
}
