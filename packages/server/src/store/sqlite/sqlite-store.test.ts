import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openInlineSqliteStore } from '../../../test/inline-sqlite-store.ts'
import { acceptItem, endpointRow, T0 } from '../conformance/builders.ts'
import { describeStore } from '../conformance/index.ts'
import { openContext, readEach } from './request-group.ts'
import { openSqliteStore } from './sqlite-store.ts'

describeStore(
  'SQLite',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runbell-store-'))
    const path = join(folder, 'runbell.db')
    let store = openInlineSqliteStore(path)
    return {
      store,
      async reopen() {
        await store.close()
        store = openInlineSqliteStore(path)
        return store
      },
      async cleanup() {
        await store.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
  { leases: false },
)

describe('SQLite in its threads', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbell-threads-'))
    path = join(folder, 'runbell.db')
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('a commit is answered after it is on the disk, and another connection sees it', async () => {
    const store = await openSqliteStore({ path })
    const { configVersion } = await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
    const items = Array.from({ length: 100 }, () => acceptItem({ configVersion }))
    const calls = items.map((item) =>
      store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items: [item] }),
    )
    const results = (await Promise.all(calls)).flat()
    expect(results.map(({ kind }) => kind)).toEqual(items.map(() => 'accepted'))
    const other = new DatabaseSync(path, { readOnly: true })
    expect(other.prepare('SELECT count(*) AS count FROM events').get()?.['count']).toBe(100)
    expect(other.prepare('PRAGMA journal_mode').get()?.['journal_mode']).toBe('wal')
    other.close()
    await store.close()
  })

  test('one request of a group that cannot be done leaves the others alone', async () => {
    const store = await openSqliteStore({ path })
    await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
    const [good, bad, fine] = await Promise.allSettled([
      store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items: [acceptItem()] }),
      store.acceptEvents({ nodeId: 'nobody', recordedAt: T0, runEventBudget: 1000, items: [acceptItem()] }),
      store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items: [acceptItem()] }),
    ])
    expect([good.status, bad.status, fine.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await store.close()
  })

  test('a second process, or a second store, is refused and the first goes on', async () => {
    const first = await openSqliteStore({ path })
    await expect(openSqliteStore({ path })).rejects.toThrow(/another Runbell process is using/)
    await first.joinNode({ nodeId: 'a', leaseMs: 1000 })
    await first.close()
    const second = await openSqliteStore({ path })
    await second.close()
  })

  test('a database of a newer version is refused and left as it is', async () => {
    await (await openSqliteStore({ path })).close()
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 9999')
    database.close()
    await expect(openSqliteStore({ path })).rejects.toThrow(/newer Runbell/)
  })

  test('a closed store refuses calls instead of hanging', async () => {
    const store = await openSqliteStore({ path })
    await store.close()
    await expect(store.findApiKey({ keyId: 'key_x' })).rejects.toThrow(/closed/)
  })

  test('what a verb reads is one moment’s truth, also while somebody writes', async () => {
    const writer = openInlineSqliteStore(path)
    const reader = openContext(path, 'reader')
    const before = reader.db.configVersion()
    // A change of the configuration that falls between two statements of one verb.
    const own = reader.db.configVersion.bind(reader.db)
    reader.db.configVersion = () => {
      void writer.createEndpoint({ endpoint: endpointRow({ tenantId: 'acme', mode: 'live' }), maxPerTenant: 10 })
      return own()
    }
    const input = { tenantId: 'acme', mode: 'live' }
    const [reply] = readEach(reader, [{ id: 1, verb: 'loadMatchSet', input }])
    expect(reply?.output).toMatchObject({ configVersion: before, entries: [] })
    reader.db.configVersion = own
    const [next] = readEach(reader, [{ id: 2, verb: 'loadMatchSet', input }])
    expect(next?.output).toMatchObject({ configVersion: before + 1, entries: [{}] })
    reader.db.close()
    await writer.close()
  })
})
