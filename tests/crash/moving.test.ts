import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EventView, Page } from '@runbell/sdk/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, type CliProcess } from '../../packages/server/src/cli/testing/cli-process.ts'
import { openPostgresStore } from '../../packages/server/src/store/postgres/postgres-store.ts'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveryOf,
  get,
  newType,
  post,
  publish,
  request,
  untilDelivery,
} from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { ADMIN_KEY, startServer, type ServerProcess } from '../support/server-process.ts'
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

const LISTS = ['events', 'deliveries', 'dead-letters', 'endpoints', 'api-keys', 'audit-log', 'tenants']

/** What the API shows, in lists and bytes. */
async function everything(server: ServerProcess, eventIds: readonly string[]): Promise<Record<string, unknown>> {
  const shown: Record<string, unknown> = {}
  for (const name of LISTS) shown[name] = await get<Page<EventView>>(server, `/v1/${name}?limit=200`)
  for (const id of eventIds) {
    shown[id] = (await request(server, 'GET', `/v1/events/${id}`)).bytes.toString('hex')
    shown[`${id} attempts`] = await attemptsOf(server, (await deliveryOf(server, id)).id)
  }
  return shown
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
  let before: Record<string, unknown>

  test('the move goes on after each kill, is refused to servers until it is finished, and ends', async () => {
    const server = await startServer(join(folder, 'data'))
    ids = await fill(server)
    const events = [ids.delivered, ids.retried, ids.dead]
    before = await everything(server, events)
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

  test('a server on Postgres goes on from there', async () => {
    status = 204
    const server = await startServer(join(folder, 'data'), { RUNBELL_DATABASE_URL: database.url })
    try {
      const after = await everything(server, [ids.delivered, ids.retried, ids.dead])
      for (const name of ['endpoints', 'api-keys', 'tenants', 'dead-letters', ids.delivered, ids.retried, ids.dead]) {
        expect([name, after[name]]).toEqual([name, before[name]])
      }
      expect(after[`${ids.retried} attempts`]).toEqual(before[`${ids.retried} attempts`])
      // What was in flight goes out again, with the same id, after an attempt of which nobody knows.
      const flying = await untilDelivery(server, ids.flying)
      expect(flying).toMatchObject({ status: 'delivered', attempt_count: 2 })
      const sent = receiver.received.filter(({ eventId }) => eventId === ids.flying)
      expect(sent).toHaveLength(2)
      expect(sent[1]?.body.equals(sent[0]?.body as Buffer)).toBe(true)
      // A sealed secret signs; what waits for an hour still does, and goes out when it is asked for.
      expect(await deliveryOf(server, ids.retried)).toMatchObject({ status: 'pending', attempt_count: 1 })
      await post(server, `/v1/events/${ids.dead}/replay`, {})
      expect(await untilDelivery(server, ids.dead)).toMatchObject({ status: 'delivered', attempt_count: 2 })
      const known = anEvent('x', { event_id: ids.delivered })
      expect((await request(server, 'POST', '/v1/events', { body: known })).status).toBeGreaterThanOrEqual(400)
      const verify = runCli(['audit', 'verify', '--url', server.url, '--key', ADMIN_KEY])
      expect(await verify.exit).toBe(0)
    } finally {
      await server.end('SIGTERM')
    }
  }, 60_000)
})
