import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { masterKey } from '../../packages/server/src/secrets/master-key.ts'
import { MasterKeys } from '../../packages/server/src/secrets/master-keys.ts'
import { sealOld } from '../../packages/server/src/secrets/seal-old.ts'
import { Vault } from '../../packages/server/src/secrets/vault.ts'
import { endpointRow, secretRow, T0 } from '../../packages/server/src/store/conformance/builders.ts'
import type { EndpointRow } from '../../packages/server/src/store/rows.ts'
import { MIGRATIONS } from '../../packages/server/src/store/sqlite/schema.ts'
import { openSqliteStore } from '../../packages/server/src/store/sqlite/sqlite-store.ts'
import { configOf } from '../../packages/server/src/store/sqlite/verbs/endpoint-rows.ts'
import { FakeClock } from '../../packages/server/test/fake-clock.ts'

/** The schema before secrets were sealed and before retention. */
const BEFORE = 5
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0.5 }

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
  path = join(folder, 'runbell.db')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function makeOld(endpoints: EndpointRow[], deleted: ReadonlySet<string> = new Set()): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = FAST')
  for (const migration of MIGRATIONS.slice(0, BEFORE)) db.exec(migration)
  db.exec(`PRAGMA user_version = ${BEFORE}`)
  db.prepare('INSERT INTO settings VALUES (?, ?)').run('secret:fingerprint', randomBytes(32))
  db.prepare('INSERT INTO settings VALUES (?, ?)').run('secret:cursor', randomBytes(32))
  for (const [index, endpoint] of endpoints.entries()) {
    db.prepare(
      `INSERT INTO endpoints (id, mode, tenant_id, status, max_attempts, config, created_at, updated_at, deleted_at)
       VALUES (?, 0, 'default', 0, 3, ?, ?, ?, ?)`,
    ).run(endpoint.id, configOf(endpoint), T0, T0, deleted.has(endpoint.id) ? T0 : null)
    if (deleted.has(endpoint.id)) continue
    for (const secret of endpoint.secrets) {
      db.prepare('INSERT INTO secrets VALUES (?, ?, ?, ?, ?, NULL, 1)').run(
        ...([secret.id, index + 1, 'hmac', secret.value, T0] as const),
      )
    }
  }
  db.close()
}

/** As a start does. */
async function upgrade(): Promise<void> {
  const store = await openSqliteStore({ path })
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
  const key = masterKey(randomBytes(32))
  const masterKeys = new MasterKeys(async () => [key])
  const vault = new Vault({ store, masterKeys, random, clock: new FakeClock(T0), onTrouble: () => {} })
  await vault.unlock()
  await sealOld(store, vault, T0)
  for (const name of ['fingerprint', 'cursor']) await vault.serverSecret(name, randomBytes(32))
  for (let beat = 0; beat < 3; beat++) await store.heartbeat({ nodeId: 'a', leaseMs: 1000, highWater: T0 })
  await store.close()
}

async function filesWith(canary: string): Promise<string[]> {
  const files = await readdir(folder)
  const contents = await Promise.all(files.map((name) => readFile(join(folder, name))))
  return files.filter((_, index) => contents[index]?.includes(canary))
}

describe('a database from before secrets were sealed', () => {
  test('holds no header value of a deleted endpoint in the clear after its first start', async () => {
    const [kept, gone] = [endpointRow(), endpointRow({ headers: { authorization: 'Bearer CANARY' } })]
    makeOld([kept, gone], new Set([gone.id]))
    await upgrade()
    expect(await filesWith('CANARY')).toEqual([])
  })

  test.each([100, 2000, 15_000])(
    'holds no header value of %d bytes in the clear after its first start',
    async (size) => {
      const endpoints = Array.from({ length: 40 }, (_, index) =>
        endpointRow({ headers: { authorization: `CANARY-${index}-${'CANARY'.repeat(size / 6)}` } }),
      )
      makeOld(endpoints)
      await upgrade()
      expect(await filesWith('CANARY')).toEqual([])
    },
  )

  test('holds no signing secret in the clear after its first start', async () => {
    makeOld(Array.from({ length: 600 }, (_, n) => endpointRow({ secrets: [secretRow({ value: `whsec_CANARY${n}` })] })))
    await upgrade()
    expect(await filesWith('CANARY')).toEqual([])
  })
})
