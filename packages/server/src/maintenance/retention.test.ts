import { mkdtemp, rm, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { openInlineSqliteStore } from '../../test/inline-sqlite-store.ts'
import { acceptItem, ALL_EVENTS, T0 } from '../store/conformance/builders.ts'
import type { Store } from '../store/store.ts'
import { Retention, type RetentionTimes, type Times } from './retention.ts'

const DAY = 86_400_000
const EVENTS = 500
const BODY_BYTES = 20_000

const days = (count: number): Times => ({ live: count * DAY, test: count * DAY })
const ALL_30: RetentionTimes = {
  ...{ events: days(30), bodies: days(30), attempts: days(30), idempotency: days(30), audit: days(400) },
}

let folder: string
let path: string
let store: Store
let clock: FakeClock

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-retention-'))
  path = join(folder, 'runbell.db')
  store = openInlineSqliteStore(path)
  clock = new FakeClock(T0)
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
  const data = JSON.stringify({ note: 'x'.repeat(BODY_BYTES) })
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const items = Array.from({ length: EVENTS }, () => acceptItem({ configVersion, data, runId: null }))
  await store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** Runs a round to its end, however long it pauses. */
async function round(times: RetentionTimes, stopping = () => false, options?: { keepBytes: number }) {
  const running = new Retention({ store, clock, times, stopping }).runOnce(options)
  const turn = Promise.resolve().then(() => null)
  for (let counts = null; ; counts = await Promise.race([running, turn])) {
    if (counts !== null) return counts
    await clock.advance(100)
  }
}

const left = async () => (await store.listEvents(ALL_EVENTS)).rows.length

describe('a round of retention', () => {
  test('removes nothing before its time', async () => {
    await clock.advance(30 * DAY)
    const none = { payloads: 0, attempts: 0, idempotency: 0, events: 0, audit: 0, endpoints: 0, bytes: 0 }
    expect(await round(ALL_30)).toEqual(none)
    expect(await left()).toBe(EVENTS)
  })

  test('removes everything that is due, in as many pieces as that takes, and gives the space back', async () => {
    await clock.advance(30 * DAY + 1)
    const before = (await stat(path)).size
    const { events, bytes } = await round(ALL_30, () => false, { keepBytes: 0 })
    expect(events).toBe(EVENTS)
    expect(await left()).toBe(0)
    expect(bytes).toBeGreaterThan(EVENTS * BODY_BYTES)
    const other = new DatabaseSync(path)
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(other.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    other.close()
    expect((await stat(path)).size).toBeLessThan(before - EVENTS * BODY_BYTES)
  })

  test('stops between two pieces when the server stops', async () => {
    await clock.advance(30 * DAY + 1)
    let pieces = 0
    await round(ALL_30, () => pieces++ > 0)
    expect(await left()).toBe(EVENTS - 200)
  })

  test('removes payloads before their events, and only where they go earlier', async () => {
    await clock.advance(10 * DAY)
    const counts = await round({ ...ALL_30, bodies: days(5) })
    expect(counts).toMatchObject({ payloads: EVENTS, events: 0, attempts: 0, idempotency: 0 })
    expect(await left()).toBe(EVENTS)
  })
})
