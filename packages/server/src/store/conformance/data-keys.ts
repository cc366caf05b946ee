import { describe, expect, it } from 'vitest'
import type { DataKeyRow } from '../data-keys.ts'
import { bytes, LIVE, secretRow, T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

const dataKey = (owner: string, input: Partial<DataKeyRow> = {}): DataKeyRow => ({
  ...{ owner, wrapped: bytes(`wrapped for ${owner}`), masterKeyId: 'master-1', createdAt: T0, ...input },
})

export function dataKeyTests(suite: StoreSuite): void {
  describe('data keys', () => {
    it('keep the first of each owner, also when several are put at once', async () => {
      const put = (name: string) => suite.store.putDataKey({ key: dataKey('live/acme', { wrapped: bytes(name) }) })
      const kept = await Promise.all(['a', 'b', 'c'].map(put))
      expect(new Set(kept.map(({ wrapped }) => Buffer.from(wrapped).toString())).size).toBe(1)
      expect(await put('d')).toEqual(kept[0])
      expect(await suite.store.findDataKeys({ owners: ['live/acme', 'nobody'] })).toEqual([kept[0]])
    })

    it('are found by owner and listed in pages', async () => {
      const owners = ['live/a', 'live/b', 'server', 'test/*']
      for (const owner of owners.toReversed()) await suite.store.putDataKey({ key: dataKey(owner) })
      expect(await suite.store.findDataKeys({ owners: [] })).toEqual([])
      const found = await suite.store.findDataKeys({ owners: ['test/*', 'live/a'] })
      expect(found.map(({ owner }) => owner).toSorted()).toEqual(['live/a', 'test/*'])
      const first = await suite.store.listDataKeys({ after: null, limit: 3 })
      const rest = await suite.store.listDataKeys({ after: 'server', limit: 3 })
      expect([...first, ...rest]).toEqual(owners.map((owner) => dataKey(owner)))
    })

    it('get another wrapping only from the one they have', async () => {
      await suite.store.putDataKey({ key: dataKey('live/a') })
      await suite.store.putDataKey({ key: dataKey('live/b', { masterKeyId: 'master-0' }) })
      const keys = ['live/a', 'live/b', 'live/c'].map((owner) => {
        return { owner, from: 'master-1', wrapped: bytes('anew'), masterKeyId: 'master-2' }
      })
      expect(await suite.store.rewrapDataKeys({ keys })).toBe(1)
      expect(await suite.store.rewrapDataKeys({ keys })).toBe(0)
      expect(await suite.store.listDataKeys({ after: null, limit: 9 })).toEqual([
        dataKey('live/a', { wrapped: bytes('anew'), masterKeyId: 'master-2' }),
        dataKey('live/b', { masterKeyId: 'master-0' }),
      ])
    })
  })

  describe('server secrets', () => {
    it('are replaced only if they are what they are said to be', async () => {
      const [name, old, fresh] = ['cursor', bytes('old'), bytes('fresh')]
      const kept = () => suite.store.serverSecret({ name, candidate: old })
      await kept()
      expect(await suite.store.replaceServerSecret({ name, from: fresh, to: old })).toBe(false)
      expect(await suite.store.replaceServerSecret({ name, from: old, to: fresh })).toBe(true)
      expect(await suite.store.replaceServerSecret({ name, from: old, to: bytes('third') })).toBe(false)
      expect(await kept()).toEqual(fresh)
      expect(await suite.store.replaceServerSecret({ name: 'nobody', from: old, to: fresh })).toBe(false)
    })
  })

  describe('public keys', () => {
    it('are those that sign now, newest first, of endpoints that are there', async () => {
      const key = (publicKey: string, expiresAt: number | null = null) =>
        secretRow({ kind: 'ed25519', publicKey, expiresAt })
      const [first, second] = [key('whpk_1'), key('whpk_2', T0 + 10)]
      await suite.endpoint({ secrets: [key('whpk_left'), secretRow()], signing: 'hmac' })
      const one = await suite.endpoint({
        secrets: [second, first, secretRow()],
        signing: 'both',
        description: 'odd \u0000',
      })
      const other = await suite.endpoint({ secrets: [key('whpk_3')], mode: 'test', signing: 'ed25519' })
      const gone = await suite.endpoint({ secrets: [key('whpk_4')], signing: 'ed25519' })
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: gone.id, change: { kind: 'delete' }, now: T0 })
      const list = async (endpointId: string | null, now: number, limit = 9) =>
        (await suite.store.listPublicKeys({ endpointId, now, limit })).map(({ publicKey }) => publicKey)
      expect(await list(null, T0)).toEqual(['whpk_3', 'whpk_2', 'whpk_1'])
      expect(await list(null, T0, 1)).toEqual(['whpk_3'])
      expect(await list(null, T0 + 10)).toEqual(['whpk_3', 'whpk_1'])
      expect(await list(one.id, T0)).toEqual(['whpk_2', 'whpk_1'])
      expect(await list(other.id, T0)).toEqual(['whpk_3'])
      expect(await list(gone.id, T0)).toEqual([])
      const [newest] = await suite.store.listPublicKeys({ endpointId: one.id, now: T0, limit: 1 })
      expect(newest?.secretId).toBe(second.id)
    })
  })
}
