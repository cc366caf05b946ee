import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openGround, type Ground } from '../../bench/delivery-ground.ts'
import { fillInstallation } from '../../bench/fill/fill-installation.ts'
import type { Bench } from '../../bench/scenario.ts'

const COUNT = 40
let bench: Bench
let ground: Ground

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'runbell-bench-test-'))
  const sizes = { backlog: COUNT, history: COUNT }
  bench = { folder, seconds: 0.1, quick: true, logLevel: 'error', databaseUrl: null, sizes, progress: () => {} }
  ground = await openGround(bench, { endpoints: 2, types: 2 })
})

afterEach(async () => {
  await ground.close()
  await rm(bench.folder, { recursive: true, force: true })
})

function read(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(ground.installation.dataDir, 'runbell.db'), { readOnly: true })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

it('a backlog that was loaded into the file is what a server delivers, each to its endpoint and none twice', async () => {
  const { installation, receiver } = ground
  await fillInstallation(installation, receiver, bench, { count: COUNT, state: 'due' })
  const before = await receiver.count()
  expect(before.received).toBe(0)
  await installation.use(async () => {
    await expect.poll(async () => (await receiver.count()).received, { timeout: 20_000 }).toBeGreaterThanOrEqual(COUNT)
  })
  const { answeredBy } = await receiver.count()
  // Its own attempt, which failed when the rows were made, comes again for each endpoint.
  expect([...answeredBy].every((count) => count === COUNT / 2 || count === COUNT / 2 + 1)).toBe(true)
}, 60_000)

it('what is loaded has ids, bytes and hashes of its own, in the order of its positions', async () => {
  await fillInstallation(ground.installation, ground.receiver, bench, { count: COUNT, state: 'delivered' })
  const events = read('SELECT position, event_id, prefix, source, data_start, data_end, body_sha256 FROM events')
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
  const loose = read(`SELECT d.id FROM deliveries d LEFT JOIN events e ON e.position = d.event
    LEFT JOIN attempts a ON a.delivery = d.position WHERE e.position IS NULL OR a.delivery IS NULL`)
  expect(loose).toEqual([])
  const [{ deliveries } = {}] = read('SELECT count(DISTINCT id) AS deliveries FROM deliveries')
  expect(deliveries).toBe(COUNT + 2)
}, 60_000)
