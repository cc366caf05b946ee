import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openGround, type Ground } from '../../bench/delivery-ground.ts'
import { fillInstallation } from '../../bench/fill/fill-installation.ts'
import type { Bench } from '../../bench/scenario.ts'

const COUNT = 40
let bench: Bench
let ground: Ground

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'runbell-bench-test-'))
  const sizes = { backlog: COUNT, history: COUNT }
  bench = { folder, seconds: 0.1, quick: true, logLevel: 'error', databaseUrl: null, sizes, progress: () => {} }
  ground = await openGround(bench, { endpoints: 2, types: 2 })
}, 60_000)

afterAll(async () => {
  await ground.close()
  await rm(bench.folder, { recursive: true, force: true })
})

function read(dataDir: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, 'runbell.db'), { readOnly: true })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

it('a backlog that was loaded into the file is what a server delivers, each to its endpoint and none twice', async () => {
  const { receiver } = ground
  const installation = await ground.installation.copy()
  await fillInstallation(installation, receiver, bench, { count: COUNT, state: 'due' })
  const before = await receiver.count()
  await installation.use(async () => {
    await expect
      .poll(async () => (await receiver.count()).received - before.received, { timeout: 20_000 })
      .toBe(COUNT + 2)
  })
  const { answeredBy } = await receiver.count()
  const arrived = [...answeredBy].map((count, port) => count - (before.answeredBy[port] ?? 0))
  // And the one of each endpoint that they were made from, whose first attempt failed.
  expect(arrived).toEqual([COUNT / 2 + 1, COUNT / 2 + 1])
}, 60_000)

it('what is loaded has ids, bytes and hashes of its own, in the order of its positions', async () => {
  const installation = await ground.installation.copy()
  const { dataDir } = installation
  await fillInstallation(installation, ground.receiver, bench, { count: COUNT, state: 'delivered' })
  const events = read(
    dataDir,
    'SELECT position, event_id, prefix, source, data_start, data_end, body_sha256 FROM events',
  )
  expect(events).toHaveLength(COUNT + 2)
  for (const event of events) {
    const prefix = Buffer.from(event['prefix'] as Uint8Array).toString()
    expect(prefix).toContain(event['event_id'])
    const data = (event['source'] as Uint8Array).subarray(event['data_start'] as number, event['data_end'] as number)
    const body = Buffer.concat([Buffer.from(prefix), data, Buffer.from('}')])
    expect(JSON.parse(body.toString())).toMatchObject({ event_id: event['event_id'] })
    expect(
      createHash('sha256')
        .update(body)
        .digest()
        .equals(event['body_sha256'] as Uint8Array),
    ).toBe(true)
  }
  const loose = read(
    dataDir,
    `SELECT d.id FROM deliveries d LEFT JOIN events e ON e.position = d.event
    LEFT JOIN attempts a ON a.delivery = d.position WHERE e.position IS NULL OR a.delivery IS NULL`,
  )
  expect(loose).toEqual([])
  const [{ deliveries } = {}] = read(dataDir, 'SELECT count(DISTINCT id) AS deliveries FROM deliveries')
  expect(deliveries).toBe(COUNT + 2)
}, 60_000)
