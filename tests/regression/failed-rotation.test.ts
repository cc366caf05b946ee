import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { masterKey, MasterKeyError, type MasterKey } from '../../packages/server/src/secrets/master-key.ts'
import { MasterKeys } from '../../packages/server/src/secrets/master-keys.ts'
import { rotateMasterKey } from '../../packages/server/src/secrets/rotate.ts'
import { Vault } from '../../packages/server/src/secrets/vault.ts'
import { endpointRow, secretRow, T0 } from '../../packages/server/src/store/conformance/builders.ts'
import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { FakeClock, gate } from '../../packages/server/test/fake-clock.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0.5 }
const newKey = () => masterKey(randomBytes(32))

/** A running server whose source of master keys the test changes. */
async function running(first: MasterKey, store = new MemoryStore({ clock: () => 0 })) {
  const source = { keys: [first] }
  const masterKeys = new MasterKeys(async () => source.keys)
  const ground = { store, masterKeys, random, clock: new FakeClock(T0) }
  const troubles: string[] = []
  const vault = new Vault({ ...ground, onTrouble: (error) => void troubles.push(error.message) })
  await vault.unlock()
  return { source, ground, vault, store, troubles }
}

async function sealed(vault: Vault, tenantId: string) {
  const endpoint = endpointRow({ tenantId })
  const row = secretRow()
  return { ...endpoint, headers: {}, secrets: [{ ...row, value: await vault.sealSecret(endpoint, row, 'whsec_x') }] }
}

describe('a rotation that was refused ("Nothing was changed")', () => {
  test('leaves what is sealed afterwards under the master key that the database has: the next start works', async () => {
    const [old, foreign] = [newKey(), newKey()]
    const { source, ground, vault, store } = await running(old)
    // The operator forgot to leave the old key behind the new one.
    source.keys = [foreign]
    await expect(rotateMasterKey(ground, [])).rejects.toThrow(MasterKeyError)
    // He puts the old one back; meanwhile a new tenant has its first endpoint.
    source.keys = [old]
    await sealed(vault, 'newcomer')
    expect((await store.listDataKeys({ after: null, limit: 9 })).map((row) => row.masterKeyId)).toEqual([
      old.id,
      old.id,
    ])
    await expect(running(old, store)).resolves.toBeDefined()
  })

  test('leaves secrets of tenants that were not used yet openable', async () => {
    const [old, foreign] = [newKey(), newKey()]
    const before = await running(old)
    const row = await sealed(before.vault, 'quiet')
    const { source, ground, vault, troubles } = await running(old, before.store)
    source.keys = [foreign]
    await expect(rotateMasterKey(ground, [])).rejects.toThrow(MasterKeyError)
    expect((await vault.open([row]))[0]?.secrets).not.toBeNull()
    expect(troubles).toEqual([])
  })
})

describe('a rotation', () => {
  test('does not call a master key retired while a data key is being made under it', async () => {
    const [old, next] = [newKey(), newKey()]
    const held = gate()
    let hold = false
    const store = new MemoryStore({
      clock: () => 0,
      hooks: { before: async (name) => (name === 'putDataKey' && hold ? await held.promise : undefined) },
    })
    const { source, ground, vault } = await running(old, store)
    hold = true
    const sealing = sealed(vault, 'newcomer')
    await new Promise((resolve) => setImmediate(resolve))
    source.keys = [next, old]
    const { retired } = await rotateMasterKey(ground, [])
    held.open()
    await sealing
    const needed = (await store.listDataKeys({ after: null, limit: 9 })).map((row) => row.masterKeyId)
    expect(needed.filter((id) => retired.includes(id))).toEqual([])
  })

  test('does not call the active master key retired where it is configured twice', async () => {
    const key = newKey()
    const { source, ground } = await running(key)
    source.keys = [key, key]
    const { retired, masterKeyId } = await rotateMasterKey(ground, [])
    expect(retired).not.toContain(masterKeyId)
  })
})
