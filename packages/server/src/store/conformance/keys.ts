import { describe, expect, it } from 'vitest'
import { apiKeyRow, bytes, hex, LIVE, T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function keyTests(suite: StoreSuite): void {
  const find = async (keyId: string) => (await suite.store.findApiKey({ keyId })).key

  describe('keys', () => {
    it('keeps every field and gives a position', async () => {
      const key = apiKeyRow({ tenantId: 'mine', mode: 'test', expiresAt: T0 + 1, scopes: ['decide', 'admin'] })
      await suite.store.putApiKey({ key })
      const found = await find(key.id)
      expect(found).toMatchObject({ ...key, position: expect.any(Number), hash: expect.any(Uint8Array) })
      expect(hex(found?.hash as Uint8Array)).toBe(hex(key.hash))
      expect(await find('key_nobody')).toBeNull()
    })

    it('leaves a key that is there already as it is', async () => {
      const key = apiKeyRow()
      await suite.store.putApiKey({ key })
      await suite.store.putApiKey({ key: { ...key, scopes: ['admin'], createdAt: T0 + 9 } })
      expect(await find(key.id)).toMatchObject({ scopes: key.scopes, createdAt: T0 })
      expect((await suite.store.listApiKeys({ scope: LIVE, page: { limit: 9, after: null } })).rows).toHaveLength(1)
    })

    it('lists newest first, in pages', async () => {
      const made = [apiKeyRow(), apiKeyRow(), apiKeyRow()]
      for (const key of made) await suite.store.putApiKey({ key })
      const first = await suite.store.listApiKeys({ scope: LIVE, page: { limit: 2, after: null } })
      expect(first.rows.map(({ id }) => id)).toEqual([made[2]?.id, made[1]?.id])
      const second = await suite.store.listApiKeys({ scope: LIVE, page: { limit: 2, after: first.next } })
      expect(second.rows.map(({ id }) => id)).toEqual([made[0]?.id])
      expect(second.next).toBeNull()
    })

    it('revokes for good: putting the same key again does not bring it back', async () => {
      const key = apiKeyRow()
      await suite.store.putApiKey({ key })
      expect(await suite.store.revokeApiKey({ scope: LIVE, keyId: key.id, now: T0 })).toBe(true)
      expect(await find(key.id)).toBeNull()
      expect((await suite.store.listApiKeys({ scope: LIVE, page: { limit: 9, after: null } })).rows).toEqual([])
      expect(await suite.store.revokeApiKey({ scope: LIVE, keyId: key.id, now: T0 })).toBe(false)
      await suite.store.putApiKey({ key })
      expect(await find(key.id)).toBeNull()
    })

    it('notes when a key was last used, and never an earlier time', async () => {
      const key = apiKeyRow()
      await suite.store.putApiKey({ key })
      const { configVersion } = await suite.store.findApiKey({ keyId: key.id })
      const used = async (at: number) => {
        await suite.store.touchApiKeys({
          uses: [
            { keyId: key.id, at },
            { keyId: 'key_nobody', at },
          ],
        })
        return (await find(key.id))?.lastUsedAt
      }
      expect(await used(T0 + 5)).toBe(T0 + 5)
      expect(await used(T0 + 4)).toBe(T0 + 5)
      expect(await used(T0 + 6)).toBe(T0 + 6)
      expect(await find('key_nobody')).toBeNull()
      expect((await suite.store.findApiKey({ keyId: key.id })).configVersion).toBe(configVersion)
    })

    it('changes the config version when a key comes or goes', async () => {
      const before = await suite.configVersion()
      const key = apiKeyRow()
      const { configVersion } = await suite.store.putApiKey({ key })
      expect(configVersion).toBeGreaterThan(before)
      expect(await suite.store.findApiKey({ keyId: key.id })).toMatchObject({ configVersion })
      await suite.store.revokeApiKey({ scope: LIVE, keyId: key.id, now: T0 })
      expect(await suite.configVersion()).toBeGreaterThan(configVersion)
    })
  })

  describe('server secrets', () => {
    it('keep the first candidate of each name', async () => {
      const ask = async (name: string, candidate: string) =>
        hex(await suite.store.serverSecret({ name, candidate: bytes(candidate) }))
      expect(await ask('fingerprint', 'one')).toBe(hex(bytes('one')))
      expect(await ask('fingerprint', 'two')).toBe(hex(bytes('one')))
      expect(await ask('cursor', 'two')).toBe(hex(bytes('two')))
    })

    it('agree when several ask at once', async () => {
      const calls = Array.from({ length: 10 }, (_, index) =>
        suite.store.serverSecret({ name: 'fingerprint', candidate: new Uint8Array([0, index, 255]) }),
      )
      expect(new Set((await Promise.all(calls)).map(hex)).size).toBe(1)
    })
  })
}
