import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Retention } from '../../packages/server/src/maintenance/retention.ts'
import { DAY } from '../../packages/server/src/core/schedule.ts'
import {
  acceptItem,
  attemptRecord,
  endpointRow,
  LIVE,
  MINUTE,
  T0,
  target,
} from '../../packages/server/src/store/conformance/builders.ts'
import type { Store } from '../../packages/server/src/store/store.ts'
import { FakeClock } from '../../packages/server/test/fake-clock.ts'
import { openInlineSqliteStore } from '../../packages/server/test/inline-sqlite-store.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
  store = openInlineSqliteStore(join(folder, 'runbell.db'))
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** An event for these endpoints. */
async function accept(endpointIds: string[], data?: string, at = T0) {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const targets = endpointIds.map((id) => target(id))
  const item = acceptItem({ configVersion, runId: null, targets, ...(data === undefined ? {} : { data }) })
  const [result] = await store.acceptEvents({ nodeId: 'a', recordedAt: at, runEventBudget: 1000, items: [item] })
  if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
  return { item, position: result.position }
}

async function endpoint(): Promise<string> {
  const row = endpointRow({ maxInFlight: 1000 })
  await store.createEndpoint({ endpoint: row, maxPerTenant: 1000 })
  return row.id
}

const KEEP = { live: 30 * DAY, test: 30 * DAY }
const DEFAULTS = { events: KEEP, bodies: KEEP, attempts: KEEP, idempotency: KEEP, audit: KEEP }

test('what a paused endpoint holds past retention ends where somebody can see it (G6: "nothing ends silently")', async () => {
  const id = await endpoint()
  const { item } = await accept([id])
  await store.changeEndpoint({
    ...{ scope: LIVE, endpointId: id, now: T0 },
    change: { kind: 'status', status: 'paused', reason: null },
  })
  const deliveryId = item.targets[0]?.deliveryId as string
  const clock = new FakeClock(T0 + 31 * DAY)
  const retention = new Retention({ store, clock, times: DEFAULTS, stopping: () => false })
  const counts = await retention.runOnce()
  expect(counts.events).toBe(0)
  expect(await store.findDelivery({ scope: LIVE, deliveryId })).toMatchObject({ reason: 'held_past_retention' })
})

test('an event whose payload retention took away can be erased for good: it is in no file then', async () => {
  const { position } = await accept([], `{"note":"${'CANARY-'.repeat(5000)}"}`)
  await accept([], `{"note":"${'others-'.repeat(5000)}"}`)
  // A checkpoint, as one comes every thousand pages.
  await store.close()
  store = openInlineSqliteStore(join(folder, 'runbell.db'))
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
  await store.prune({ what: 'payloads', mode: 'live', before: T0 + 1, now: T0 + 1, limit: 1, again: null })
  // What the API does for `POST /v1/events/{id}/erase`.
  await store.eraseEvent({ eventPosition: position, now: T0 + 2 })
  await store.heartbeat({ nodeId: 'a', leaseMs: 1000, highWater: T0 })
  await store.close()
  store = openInlineSqliteStore(join(folder, 'runbell.db'))
  const files = await readdir(folder)
  const contents = await Promise.all(files.map((name) => readFile(join(folder, name))))
  expect(files.filter((_, index) => contents[index]?.includes('CANARY-'))).toEqual([])
})

test('attempts of a replay go when they are old, also where the mark has passed their event', async () => {
  const id = await endpoint()
  const { item, position } = await accept([id])
  const deliveryId = item.targets[0]?.deliveryId as string
  const attempt = async (at: number) => {
    const { claims } = await store.claimDue({ nodeId: 'a', now: at, requests: [{ endpointId: id, limit: 1 }] })
    const [claim] = claims
    if (claim === undefined) throw new Error('nothing to claim')
    await store.recordAttempts({ nodeId: 'a', now: at, records: [attemptRecord(claim, { startedAt: at })] })
  }
  const prune = async (before: number) => {
    const facts = { what: 'attempts', mode: 'live', before, now: before, limit: 100 } as const
    await store.prune({ ...facts, again: null })
    await store.prune({ ...facts, again: 0 })
  }
  await attempt(T0)
  await prune(T0 + MINUTE)
  const replayed = T0 + 2 * MINUTE
  const ask = { eventPosition: position, newDeliveryId: 'dlv_new', now: replayed, target: { kind: 'all' } } as const
  await store.replayDeliveries(ask)
  await attempt(replayed)
  await prune(replayed + 100 * MINUTE)
  expect(await store.listAttempts({ scope: LIVE, deliveryId })).toMatchObject({ attempts: [] })
})
