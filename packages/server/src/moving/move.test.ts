import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/postgres-database.ts'
import { openInlineSqliteStore } from '../../test/inline-sqlite-store.ts'
import { MOVED, MOVED_TABLES } from '../store/moved-tables.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { takeLock } from '../store/sqlite/lock.ts'
import type { Store } from '../store/store.ts'
import { moveToPostgres, type MoveReport } from './move.ts'
import { ANY_DELIVERY, hex, LIVE, MINUTE, ONE_PAGE, T0 } from '../store/conformance/builders.ts'
import { fillStore, readStore } from './testing/filled-store.ts'

let folder: string
/** A file with something in every table, of which each test has a copy. */
let filled: string
let from: string
let database: TestDatabase

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-move-'))
  filled = join(folder, 'filled.db')
  from = filled
  await withSource(fillStore)
  database = await createTestDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

let files = 0
beforeEach(async () => {
  from = join(folder, `runbell-${++files}.db`)
  await copyFile(filled, from)
})

afterEach(forgetTarget)

async function forgetTarget(): Promise<void> {
  await database.query('DROP SCHEMA IF EXISTS runbell CASCADE')
}

/** The file as it was before it moved. */
async function takeFilled(): Promise<void> {
  await rm(from)
  await copyFile(filled, from)
}

async function withSource<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = openInlineSqliteStore(from)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function withTarget<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openPostgresStore({ url: database.url })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const move = (
  input: { schema?: string; batchRows?: number; startOver?: boolean; onProgress?(report: MoveReport): void } = {},
) => moveToPostgres({ from, to: database.url, ...input })

/** The rows of every table as Postgres writes them, but for what each start changes. */
async function everyRow(): Promise<unknown> {
  const rows: Record<string, unknown> = {}
  for (const table of MOVED_TABLES) {
    const { key } = MOVED[table]
    rows[table] = await database.query(`SELECT t::text AS row FROM runbell.${table} t ORDER BY ${key.join(', ')}`)
  }
  return rows
}

describe('moving to Postgres', () => {
  test('takes everything along: every list answers alike, and every body is the same, byte for byte', async () => {
    const before = await withSource(readStore)
    const moved = await move({ batchRows: 7 })
    expect(moved.wasFinished).toBe(false)
    for (const [table, rows] of Object.entries(moved.tables)) expect([table, rows]).toEqual([table, expect.any(Number)])
    expect(Object.entries(moved.tables).filter(([, rows]) => rows === 0)).toEqual([])
    expect(await withTarget(readStore)).toEqual(before)
  })

  test('goes on where it was cut off, wherever that was, and comes to the same', async () => {
    let batches = 0
    await move({ batchRows: 20, onProgress: () => void batches++ })
    const whole = await everyRow()
    await forgetTarget()
    await takeFilled()
    let cuts = 0
    for (let finished = false; !finished;) {
      let left = 6
      try {
        await move({
          batchRows: 20,
          onProgress() {
            if (--left === 0) throw new Error('cut off')
          },
        })
        finished = true
      } catch (error) {
        expect(String(error)).toContain('cut off')
        cuts++
        await expect(openPostgresStore({ url: database.url })).rejects.toThrow(/not finished/)
      }
    }
    expect(cuts).toBeGreaterThan(Math.floor(batches / 6) - 2)
    expect(await everyRow()).toEqual(whole)
  })

  test('counts keys on from those that were given, also where their rows are gone', async () => {
    const handle = new DatabaseSync(from)
    handle.exec('UPDATE sqlite_sequence SET seq = seq + 1000')
    const highest = handle.prepare('SELECT max(seq) AS seq FROM sqlite_sequence').get()?.['seq'] as number
    handle.close()
    await move()
    const [row] = await database.query(`SELECT nextval('runbell.positions')::integer AS next`)
    expect(row?.['next']).toBeGreaterThan(1000)
    expect(row?.['next']).toBeLessThanOrEqual(highest + 1)
    const [endpoint] = await database.query(
      `SELECT nextval(pg_get_serial_sequence('runbell.endpoints', 'ref'))::integer AS next`,
    )
    expect(endpoint?.['next']).toBeGreaterThan(1000)
  })

  test('leaves what was in flight to the rescue, and what waits to whoever claims it, with its bytes and its next number', async () => {
    const pending = await withSource(async (store) => {
      const page = { scope: LIVE, filter: { ...ANY_DELIVERY, statuses: ['pending' as const] }, page: ONE_PAGE }
      const { rows } = await store.listDeliveries(page)
      return Promise.all(
        rows.filter(hasTurn).map(async ({ id, attemptCount, eventPosition, endpointId }) => {
          const body = await store.readBody({ eventPosition, endpointId })
          return { id, next: attemptCount + 1, endpointId, body: hex(body as Uint8Array) }
        }),
      )
    })
    await move()
    await withTarget(async (store) => {
      const node = { nodeId: 'node-new', leaseMs: MINUTE }
      await store.joinNode(node)
      const now = T0 + 6 * MINUTE
      const rescued = []
      for (let more = true; more;) {
        const part = await store.rescueClaims({ nodeId: node.nodeId, now, limit: 2 })
        rescued.push(...part.rescued)
        more = part.more
      }
      expect(rescued.length).toBeGreaterThan(1)
      const requests = [...new Set(pending.map(({ endpointId }) => endpointId))].map((endpointId) => ({
        endpointId,
        limit: 50,
      }))
      const { claims } = await store.claimDue({ nodeId: node.nodeId, now: now + MINUTE, requests })
      for (let left = true; left;) {
        const { claim } = await store.claimSuspect({ nodeId: node.nodeId, now: now + MINUTE })
        left = claim !== null
        if (claim !== null) claims.push(claim)
      }
      const claimed = claims.map(({ deliveryId, number, endpointId, body }) => {
        return { id: deliveryId, next: number, endpointId, body: hex(body) }
      })
      const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
      expect(claimed.toSorted(byId)).toEqual(pending.toSorted(byId))
    })
  })

  test('done again, does nothing; and the file opens for no server any more', async () => {
    await move()
    const rows = await everyRow()
    expect(await move()).toMatchObject({ wasFinished: true })
    expect(await everyRow()).toEqual(rows)
    await expect(openSqliteStore({ path: from })).rejects.toThrow(/has moved to postgres:\/\/127\.0\.0\.1/)
    await expect(openSqliteStore({ path: from })).rejects.not.toThrow(/secret/)
  })
})

describe('there is one place to serve from', () => {
  test('cut off before its last step, none opens until it has gone on', async () => {
    await move()
    const moved = await everyRow()
    await forgetTarget()
    await takeFilled()
    await openPostgresStore({ url: database.url }).then((store) => store.close())
    await database.query('ALTER TABLE runbell.moves ADD CONSTRAINT never CHECK (finished_at IS NULL)')
    await expect(move()).rejects.toThrow(/never/)
    await expect(openSqliteStore({ path: from })).rejects.toThrow(/has moved to/)
    await expect(openPostgresStore({ url: database.url })).rejects.toThrow(/not finished/)
    await database.query('ALTER TABLE runbell.moves DROP CONSTRAINT never')
    expect(await move()).toMatchObject({ wasFinished: false })
    expect(await everyRow()).toEqual(moved)
  })

  test('a file that has moved moves to no second database, not even to begin anew there', async () => {
    await move()
    const second = { schema: 'second' }
    for (const startOver of [false, true]) {
      await expect(move({ ...second, startOver })).rejects.toThrow(/has moved to postgres:.* already/)
    }
    await (await openPostgresStore({ url: database.url, ...second })).close()
    await database.query('DROP SCHEMA second CASCADE')
    expect(await move()).toMatchObject({ wasFinished: true })
  })
})

/** It does not wait behind another one of its run. */
function hasTurn({ waitsBehind }: { waitsBehind: string | null }): boolean {
  return waitsBehind === null
}

describe('what is moved', () => {
  /** What only one of the two kinds has: see `CONSTANTS`, `queue`, and what Postgres keeps about moves. Diagnostics stay behind. */
  const ONLY_POSTGRES = ['nodes.lease_until', 'schema_version.version', 'turns.endpoint', 'turns.lane']
  const IN_QUEUE = ['due_at', 'node', 'started_at', 'trigger', 'lane'].map((column) => `deliveries.${column}`)

  test('is every column of every table of Postgres', async () => {
    await withTarget(async () => {})
    const columns = await database.query(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'runbell'`,
    )
    const names = columns
      .map(({ name }) => name as string)
      .filter((name) => !/^(?:move(?:s|_progress)|diagnostics)\./.test(name))
    expect(names.filter((name) => !ONLY_POSTGRES.includes(name)).toSorted()).toEqual(movedNames().toSorted())
  })

  test('is every column of every table of SQLite', () => {
    const handle = new DatabaseSync(from)
    const columns = handle
      .prepare(
        `SELECT t.name || '.' || c.name AS name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`,
      )
      .all()
    handle.close()
    const moved = new Set([...movedNames(), ...IN_QUEUE, 'nodes.left'])
    expect(columns.map(({ name }) => name as string).filter((name) => !moved.has(name))).toEqual([])
  })

  function movedNames(): string[] {
    return MOVED_TABLES.flatMap((table) => Object.keys(MOVED[table].columns).map((column) => `${table}.${column}`))
  }
})

describe('moving is refused', () => {
  test('while a server has the file open', async () => {
    const lock = takeLock(from)
    await expect(move()).rejects.toThrow(/another Runbell process is using/)
    lock.release()
    await move()
  })

  test('for what is no database of Runbell, an older one or a newer one', async () => {
    await rm(from)
    await expect(move()).rejects.toThrow(/there is no file/)
    new DatabaseSync(from).close()
    await expect(move()).rejects.toThrow(/none of Runbell/)
    await rm(from)
    await withSource(async () => {})
    for (const [version, said] of [
      [1, /older Runbell/],
      [9999, /newer Runbell/],
    ] as const) {
      const handle = new DatabaseSync(from)
      handle.exec(`PRAGMA user_version = ${version}`)
      handle.close()
      await expect(move()).rejects.toThrow(said)
    }
  })

  test('into a database that holds anything else, which stays as it is', async () => {
    await withTarget((store) => store.joinNode({ nodeId: 'other', leaseMs: 1000 }))
    const before = await everyRow()
    await expect(move()).rejects.toThrow(/holds data already \(in nodes\)/)
    await expect(move({ startOver: true })).rejects.toThrow(/holds data already/)
    expect(await everyRow()).toEqual(before)
  })

  test('where a server has used the file meanwhile, until it begins anew', async () => {
    const cut = () => {
      throw new Error('cut off')
    }
    await expect(move({ batchRows: 5, onProgress: cut })).rejects.toThrow('cut off')
    await withSource((store) => store.joinNode({ nodeId: 'again', leaseMs: 1000 }))
    await expect(move()).rejects.toThrow(/--start-over/)
    const before = await withSource(readStore)
    await move({ startOver: true })
    expect(await withTarget(readStore)).toEqual(before)
  })

  test('where somebody has written to the target meanwhile', async () => {
    const tamper = async (sql: string) => {
      await expect(
        move({
          batchRows: 10,
          onProgress({ step }) {
            if (step === 'checking') throw new Error('cut off')
          },
        }),
      ).rejects.toThrow('cut off')
      await database.query(sql)
      await expect(move()).rejects.toThrow(/is not what was moved/)
      await expect(openPostgresStore({ url: database.url })).rejects.toThrow(/not finished/)
      await expect(move({ startOver: true })).resolves.toMatchObject({ wasFinished: false })
      await forgetTarget()
      await takeFilled()
    }
    await tamper(
      `UPDATE runbell.events SET source = source || '\\x00' WHERE position = (SELECT max(position) FROM runbell.events)`,
    )
    await tamper(`DELETE FROM runbell.attempts WHERE number = 1`)
    await tamper(`UPDATE runbell.queue SET due_at = due_at + 1`)
  })
})
