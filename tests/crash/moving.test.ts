import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, type CliProcess } from '../../packages/server/src/cli/testing/cli-process.ts'
import { auditLine } from '../../packages/server/src/core/audit/audit-entry.ts'
import { ChainCheck } from '../../packages/server/src/core/audit/check-chain.ts'
import { ANY_DELIVERY } from '../../packages/server/src/store/conformance/builders.ts'
import type { DeliveryRow } from '../../packages/server/src/store/rows.ts'
import type { Store } from '../../packages/server/src/store/store.ts'
import { openPostgresStore } from '../../packages/server/src/store/postgres/postgres-store.ts'
import { anEvent, createEndpoint, deliveryOf, get, newType, post, publish, untilDelivery } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { startServer, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

let folder: string
let database: TestDatabase
let receiver: Receiver
/** What receivers answer: first it is out of order, then it works. */
let status: number | null = 500

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-moving-'))
  await mkdir(join(folder, 'data'))
  receiver = await startReceiver((_, { headers }) => (headers['x-works'] === undefined ? status : 204))
  database = await createTestDatabase()
}, 60_000)

afterAll(async () => {
  await receiver.close()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Events in every state a delivery can be in, on a server that dies with attempts in flight. */
async function fill(server: ServerProcess) {
  const type = { works: newType(), later: newType(), dead: newType(), flying: newType() }
  const create = (name: keyof typeof type, more: Record<string, unknown>) =>
    createEndpoint(server, receiver.url, type[name], more)
  const works = await create('works', { headers: { 'x-works': '1' } })
  await post(server, `/v1/endpoints/${works.id}/secrets/rotate`, {})
  const later = await create('later', { retry_schedule: [3_600_000, 3_600_000] })
  await create('dead', { retry_schedule: [] })
  const one = async (name: keyof typeof type, more: Record<string, unknown> = {}) =>
    (await publish(server, anEvent(type[name], { run_id: 'run-of-move', data: { text: 'é\u2028😀' }, ...more })))
      .event_id
  const delivered = await one('works')
  const retried = await one('later')
  const dead = await one('dead')
  for (let count = 0; count < 40; count++) await one('works')
  await untilDelivery(server, delivered)
  await untilDelivery(server, dead)
  await untilDelivery(server, retried, ({ attempt_count }) => attempt_count === 1)
  await until(
    'the audit log is sealed',
    () => sealedOf(server),
    (count) => count > 3,
  )
  status = null
  await create('flying', {})
  const flying = await one('flying')
  await receiver.until((received) => received.some(({ eventId }) => eventId === flying))
  return { delivered, retried, dead, flying, later: later.id, works: works.id }
}

async function sealedOf(server: ServerProcess): Promise<number> {
  const { data } = await get<{ data: { seq: number | null }[] }>(server, '/v1/audit-log')
  return data.filter(({ seq }) => seq !== null).length
}

const from = () => join(folder, 'data', 'runbell.db')
const migrate = (): CliProcess =>
  runCli(['migrate', '--from', from(), '--json'], { RUNBELL_DATABASE_URL: database.url })

/** Kills a move at the moment it wants to touch this table. */
async function killAt(table: string): Promise<void> {
  await database.query('BEGIN')
  await database.query(`LOCK TABLE runbell.${table} IN ACCESS EXCLUSIVE MODE`)
  const move = migrate()
  const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'runbell.${table}'::regclass`
  await until(
    `the move is at ${table}`,
    () => database.query(waiting),
    (rows) => rows.length > 0,
  )
  move.kill('SIGKILL')
  expect(await move.exit).toBeNull()
  await database.query('ROLLBACK')
}

describe('moving to Postgres, killed again and again', () => {
  let ids: Awaited<ReturnType<typeof fill>>
  let before: { nextAttemptAt: string | null }

  test('the move goes on after each kill, is refused to servers until it is finished, and ends', async () => {
    const server = await startServer(join(folder, 'data'))
    ids = await fill(server)
    before = { nextAttemptAt: (await deliveryOf(server, ids.retried)).next_attempt_at }
    await server.end('SIGKILL')
    await (await openPostgresStore({ url: database.url })).close()
    for (const table of ['move_progress', 'events', 'queue', 'moves']) {
      await killAt(table)
    }
    await expect(openPostgresStore({ url: database.url })).rejects.toThrow(/not finished/)
    const move = migrate()
    expect(await move.exit).toBe(0)
    const said = JSON.parse(await move.stdout.find(/./)) as { tables: Record<string, number>; was_finished: boolean }
    expect(said).toMatchObject({ was_finished: false })
    const source = new DatabaseSync(from(), { readOnly: true })
    for (const table of ['events', 'deliveries', 'attempts', 'audit', 'secrets', 'runs', 'idempotency_keys']) {
      const { count } = source.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }
      expect([table, said.tables[table]]).toEqual([table, count])
    }
    source.close()
    await expect(startServer(join(folder, 'data'))).rejects.toThrow(/has moved to postgres/)
  }, 120_000)

  test('whoever opens the target goes on from there', async () => {
    const store = await openPostgresStore({ url: database.url })
    try {
      const scope = { mode: 'live', tenantId: null } as const
      const check = new ChainCheck({ sha256: (text) => createHash('sha256').update(text).digest('hex'), expect: null })
      for (const { seal, content } of await store.readAudit({ scope, afterSeq: 0, limit: 1000 })) {
        check.add(auditLine(seal, content))
      }
      expect(check.end()).toMatchObject({ ok: true, from: 1 })
      expect(await deliveryIn(store, ids.retried)).toMatchObject({
        ...{ status: 'pending', attemptCount: 1 },
        nextAttemptAt: Date.parse(before.nextAttemptAt as string),
      })
      // What was in flight is claimed again, with the same bytes, after an attempt of which nobody knows.
      await store.joinNode({ nodeId: 'node-new', leaseMs: 60_000 })
      const now = Date.now()
      await store.rescueClaims({ nodeId: 'node-new', now, limit: 100 })
      const { claim } = await store.claimSuspect({ nodeId: 'node-new', now: now + 3_600_000 })
      expect(claim).toMatchObject({ eventId: ids.flying, number: 2 })
      const sent = receiver.received.find(({ eventId }) => eventId === ids.flying)
      expect(sent?.body.equals(claim?.body as Uint8Array)).toBe(true)
    } finally {
      await store.close()
    }
  })
})

async function deliveryIn(store: Store, eventId: string): Promise<DeliveryRow | undefined> {
  const scope = { mode: 'live', tenantId: null } as const
  const [event] = await store.findEvents({ scope, eventId })
  const filter = { ...ANY_DELIVERY, eventPosition: event?.position ?? 0 }
  return (await store.listDeliveries({ scope, filter, page: { limit: 10, after: null } })).rows[0]
}
