import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { endpointRow, LIVE, secretRow, T0 } from '../store/conformance/builders.ts'
import { MemoryStore } from '../store/memory/memory-store.ts'
import type { EndpointRow } from '../store/rows.ts'
import { masterKey, MasterKeyError, parseMasterKeys, type MasterKey } from './master-key.ts'
import { MasterKeys } from './master-keys.ts'
import { rotateMasterKey } from './rotate.ts'
import { sealOld } from './seal-old.ts'
import { Vault } from './vault.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0.5 }
const newKey = () => masterKey(randomBytes(32))

/** A store with servers on it that are given these master keys. */
class World {
  readonly store = new MemoryStore({ clock: () => 0 })
  readonly troubles: string[] = []
  readonly clock = new FakeClock(T0)

  keys(...configured: MasterKey[]): MasterKeys {
    return new MasterKeys(async () => configured)
  }

  ground(masterKeys: MasterKeys) {
    return { store: this.store, masterKeys, random, clock: this.clock }
  }

  async vault(...configured: MasterKey[]): Promise<Vault> {
    const onTrouble = (error: Error) => void this.troubles.push(error.message)
    const vault = new Vault({ ...this.ground(this.keys(...configured)), onTrouble })
    await vault.unlock()
    return vault
  }

  /** An endpoint with one secret and one header, sealed, as it is stored. */
  async sealed(vault: Vault, input: Partial<EndpointRow> = {}): Promise<EndpointRow> {
    const endpoint = endpointRow(input)
    const row = secretRow()
    const value = await vault.sealSecret(endpoint, row, 'whsec_canary')
    return {
      ...endpoint,
      secrets: [{ ...row, value }],
      headers: await vault.sealHeaders(endpoint, { 'x-team': 'canary' }),
    }
  }
}

/** What opens of an endpoint; `null`: nothing does. */
async function opened(vault: Vault, row: EndpointRow) {
  const [endpoint] = await vault.open([row])
  if (endpoint === undefined || endpoint.secrets === null) return null
  return [
    ...endpoint.secrets.map(({ value }) => value.reveal()),
    ...Object.values(endpoint.headers).map((h) => h.reveal()),
  ]
}

describe('what the vault seals', () => {
  test('opens for the same place, in another process too, and holds nothing that can be read', async () => {
    const [world, key] = [new World(), newKey()]
    const row = await world.sealed(await world.vault(key))
    expect(JSON.stringify(row)).not.toContain('canary')
    expect(JSON.stringify(row)).not.toContain(Buffer.from('canary').toString('base64').slice(0, 6))
    expect(await opened(await world.vault(key), row)).toEqual(['whsec_canary', 'canary'])
  })

  test('is never the same twice', async () => {
    const world = new World()
    const vault = await world.vault(newKey())
    const endpoint = endpointRow()
    const [one, two] = [await vault.sealHeaders(endpoint, { a: 'x' }), await vault.sealHeaders(endpoint, { a: 'x' })]
    expect(one).not.toEqual(two)
  })

  test.each<[string, (row: EndpointRow) => EndpointRow]>([
    ['another endpoint', (row) => ({ ...row, id: 'ep_other' })],
    ['another tenant', (row) => ({ ...row, tenantId: 'other' })],
    ['the other mode', (row) => ({ ...row, mode: 'test' })],
    ['another secret', (row) => ({ ...row, secrets: row.secrets.map((secret) => ({ ...secret, id: 'sec_other' })) })],
    ['another kind', (row) => ({ ...row, secrets: row.secrets.map((secret) => ({ ...secret, kind: 'ed25519' })) })],
    ['another header', (row) => ({ ...row, headers: { 'x-other': row.headers['x-team'] as string } })],
    [
      'a header as a secret',
      (row) => ({
        ...row,
        secrets: row.secrets.map((secret) => ({ ...secret, value: row.headers['x-team'] as string })),
      }),
    ],
    ['clear text', (row) => ({ ...row, headers: { 'x-team': 'clear' } })],
    [
      'one bit',
      (row) => ({
        ...row,
        secrets: row.secrets.map((secret) => ({ ...secret, value: flipped(secret.value) })),
      }),
    ],
  ])('does not open in the place of %s, and is told of without what it is', async (_what, move) => {
    const world = new World()
    const vault = await world.vault(newKey())
    // So that there is a key for wherever it is moved to.
    for (const other of [{ tenantId: 'other' }, { mode: 'test' as const }]) await world.sealed(vault, other)
    const row = move(await world.sealed(vault))
    expect(await opened(vault, row)).toBeNull()
    expect(world.troubles).toEqual([`the secrets of ${row.id} do not open: they are not what was sealed for it`])
  })

  test('does not keep others from opening', async () => {
    const world = new World()
    const vault = await world.vault(newKey())
    const [good, bad] = [await world.sealed(vault), await world.sealed(vault, { tenantId: 'b' })]
    const [first, second] = await vault.open([{ ...bad, id: 'ep_moved' }, good])
    expect([first?.secrets, second?.secrets?.[0]?.value.reveal()]).toEqual([null, 'whsec_canary'])
  })
})

function flipped(text: string): string {
  const bytes = Buffer.from(text.slice('sealed:1:'.length), 'base64')
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return `sealed:1:${bytes.toString('base64')}`
}

describe('the server’s own secrets', () => {
  test('are sealed, and the same after a restart', async () => {
    const [world, key] = [new World(), newKey()]
    const first = await (await world.vault(key)).serverSecret('cursor', random.bytes(32))
    expect(await (await world.vault(key)).serverSecret('cursor', random.bytes(32))).toEqual(first)
    const stored = await world.store.serverSecret({ name: 'cursor', candidate: random.bytes(1) })
    expect(Buffer.from(stored).includes(Buffer.from(first))).toBe(false)
  })

  test('from before they were sealed stay the same and are sealed', async () => {
    const [world, clear] = [new World(), random.bytes(32)]
    await world.store.serverSecret({ name: 'cursor', candidate: clear })
    const vault = await world.vault(newKey())
    for (let start = 0; start < 2; start++) expect(await vault.serverSecret('cursor', random.bytes(32))).toEqual(clear)
    const stored = await world.store.serverSecret({ name: 'cursor', candidate: random.bytes(1) })
    expect(Buffer.from(stored).toString('latin1')).toMatch(/^sealed:1:/)
  })
})

describe('endpoints from before secrets were sealed', () => {
  test('are sealed once, with the public key that belongs to a private one', async () => {
    const world = new World()
    const seed = Buffer.alloc(32, 7).toString('base64')
    const secrets = [secretRow({ value: 'whsec_canary' }), secretRow({ kind: 'ed25519', value: `whsk_${seed}` })]
    const old = endpointRow({ secrets, headers: { 'x-team': 'canary' } })
    await world.store.createEndpoint({ endpoint: old, maxPerTenant: 9 })
    const vault = await world.vault(newKey())
    expect(await sealOld(world.store, vault, T0)).toBe(1)
    expect(await sealOld(world.store, vault, T0)).toBe(0)
    const row = (await world.store.findEndpoint({ scope: LIVE, endpointId: old.id })) as EndpointRow
    expect(JSON.stringify(row)).not.toMatch(/canary|whsk_/)
    expect(await opened(vault, row)).toEqual(['whsec_canary', `whsk_${seed}`, 'canary'])
    expect(row.secrets.map(({ publicKey }) => publicKey?.slice(0, 5) ?? null)).toEqual([null, 'whpk_'])
  })
})

describe('another master key', () => {
  test('is refused before anything is opened, with what is needed and what is given', async () => {
    const [world, key, other] = [new World(), newKey(), newKey()]
    await world.vault(key)
    await expect(world.vault(other)).rejects.toThrow(
      new MasterKeyError(
        `the master key does not fit this database: what it keeps for server was sealed with the master key ${key.id}, ` +
          `and given is ${other.id}`,
      ),
    )
  })

  test('takes over by rotation while both are configured, and alone after that', async () => {
    const [world, old, next] = [new World(), newKey(), newKey()]
    const vault = await world.vault(old)
    const rows = [
      await world.sealed(vault),
      await world.sealed(vault, { tenantId: 'b' }),
      await world.sealed(vault, { mode: 'test' }),
    ]
    const audit = [
      { mode: 'live', tenantId: null, at: T0, actor: 'k', action: 'master_key.rotated', target: 'master_key' } as const,
    ].map((entry) => ({ ...entry, requestId: null, detail: {} }))
    const both = world.ground(world.keys(next, old))
    expect(await rotateMasterKey(both, audit)).toEqual({ masterKeyId: next.id, rewrapped: 4, retired: [old.id] })
    expect(await rotateMasterKey(both, audit)).toMatchObject({ rewrapped: 0 })
    const { rows: entries } = await world.store.listAudit({
      ...{ scope: LIVE, page: { limit: 9, after: null } },
      filter: { actor: null, actions: ['master_key.rotated'], target: null, since: null, until: null },
    })
    expect(entries).toHaveLength(2)
    // What runs goes on with what it has; what starts needs the new one alone.
    for (const process of [vault, await world.vault(next)]) {
      for (const row of rows) expect(await opened(process, row)).toEqual(['whsec_canary', 'canary'])
    }
    await expect(world.vault(old)).rejects.toThrow(MasterKeyError)
  })

  test('changes nothing where the one it follows on is missing', async () => {
    const [world, old, next] = [new World(), newKey(), newKey()]
    await world.sealed(await world.vault(old))
    const before = await world.store.listDataKeys({ after: null, limit: 9 })
    await expect(rotateMasterKey(world.ground(world.keys(next)), [])).rejects.toThrow(MasterKeyError)
    expect(await world.store.listDataKeys({ after: null, limit: 9 })).toEqual(before)
  })

  test('goes on where a crash cut it off', async () => {
    const [world, old, next] = [new World(), newKey(), newKey()]
    const vault = await world.vault(old)
    const rows = [await world.sealed(vault), await world.sealed(vault, { tenantId: 'b' })]
    const store = new Proxy(world.store, {
      get(target, verb) {
        if (verb !== 'rewrapDataKeys') return (Reflect.get(target, verb) as () => unknown).bind(target)
        return async ({ keys }: Parameters<MemoryStore['rewrapDataKeys']>[0]) => {
          await target.rewrapDataKeys({ keys: keys.slice(0, 1) })
          throw new Error('killed')
        }
      },
    })
    const both = world.ground(world.keys(next, old))
    await expect(rotateMasterKey({ ...both, store }, [])).rejects.toThrow('killed')
    const restarted = await world.vault(next, old)
    for (const row of rows) expect(await opened(restarted, row)).toEqual(['whsec_canary', 'canary'])
    expect(await rotateMasterKey(both, [])).toMatchObject({ rewrapped: 2 })
    expect(await opened(await world.vault(next), rows[0] as EndpointRow)).toEqual(['whsec_canary', 'canary'])
  })

  test('that another node rotated to is read when it is first met', async () => {
    const [world, old, next] = [new World(), newKey(), newKey()]
    const configured = [old]
    const onTrouble = () => {}
    const vault = new Vault({ ...world.ground(new MasterKeys(async () => [...configured])), onTrouble })
    await vault.unlock()
    configured.unshift(next)
    const elsewhere = await world.vault(next, old)
    const row = await world.sealed(elsewhere, { tenantId: 'new' })
    expect(await opened(vault, row)).toEqual(['whsec_canary', 'canary'])
  })
})

describe('reading master keys', () => {
  const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 255)]

  test('takes base64 and base64url, on lines or after commas, the first one first', () => {
    const text = `${one.toString('base64')}\n ${two.toString('base64url')},\n`
    expect(parseMasterKeys(text, 'F').map(({ id }) => id)).toEqual([masterKey(one).id, masterKey(two).id])
  })

  test.each(['', ' \n', 'secret', one.subarray(1).toString('base64'), `${one.toString('base64')},x`, '%'.repeat(44)])(
    'refuses %j and does not repeat it',
    (text) => {
      const read = () => parseMasterKeys(text, 'RUNBELL_MASTER_KEY')
      expect(read).toThrow(MasterKeyError)
      expect(read).toThrow(/RUNBELL_MASTER_KEY.*generate-master/)
      if (text.trim().length > 3) expect(read).not.toThrow(text)
    },
  )
})
