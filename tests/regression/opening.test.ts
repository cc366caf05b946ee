import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { masterKey } from '../../packages/server/src/secrets/master-key.ts'
import { MasterKeys } from '../../packages/server/src/secrets/master-keys.ts'
import { Vault } from '../../packages/server/src/secrets/vault.ts'
import { EndpointCache } from '../../packages/server/src/delivery/endpoint-cache.ts'
import { endpointRow, secretRow, T0 } from '../../packages/server/src/store/conformance/builders.ts'
import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { FakeClock } from '../../packages/server/test/fake-clock.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0.5 }

async function world(
  source: { keys: ReturnType<typeof masterKey>[] | null },
  store = new MemoryStore({ clock: () => 0 }),
) {
  const masterKeys = new MasterKeys(async () => {
    if (source.keys === null) throw new Error('the key store does not answer')
    return source.keys
  })
  const vault = new Vault({ store, masterKeys, random, clock: new FakeClock(T0), onTrouble: () => {} })
  await vault.unlock()
  return { vault, store }
}

async function sealed(vault: Vault, count: number) {
  const endpoint = endpointRow()
  const rows = Array.from({ length: count }, () => secretRow())
  const values = await Promise.all(rows.map((row) => vault.sealSecret(endpoint, row, 'whsec_x')))
  return { ...endpoint, headers: {}, secrets: rows.map((row, index) => ({ ...row, value: values[index] as string })) }
}

test('a secret that has expired and does not open keeps no delivery from being signed with the others', async () => {
  const { vault } = await world({ keys: [masterKey(randomBytes(32))] })
  const endpoint = await sealed(vault, 2)
  const [active, expired] = endpoint.secrets
  const damaged = { ...expired!, value: `${expired!.value.slice(0, -8)}AAAAAAAA`, expiresAt: T0 - 1 }
  const [open] = await vault.open([{ ...endpoint, secrets: [active!, damaged] }])
  expect(open?.secrets).not.toBeNull()
})

test('an endpoint whose secrets did not open is looked at again once they do, without a change of configuration', async () => {
  const { vault, store } = await world({ keys: [masterKey(randomBytes(32))] })
  const endpoint = await sealed(vault, 1)
  await store.createEndpoint({ endpoint, maxPerTenant: 9 })
  let opens = false
  const cache = new EndpointCache(store, async (rows) =>
    opens ? await vault.open(rows) : rows.map((row) => ({ ...row, secrets: null, headers: {} })),
  )
  expect((await cache.get(endpoint.id))?.secrets).toBeNull()
  opens = true
  // As after an attempt that could not be signed.
  cache.forget(endpoint.id)
  expect((await cache.get(endpoint.id))?.secrets).not.toBeNull()
})
