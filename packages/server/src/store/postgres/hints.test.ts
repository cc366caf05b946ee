import { afterAll, afterEach, expect, test } from 'vitest'
import { until } from '../../../../../tests/support/until.ts'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { acceptItem, endpointRow, LEASE_MS, T0, target } from '../conformance/builders.ts'
import type { Store } from '../store.ts'
import { readPayload, wakePayload, type Hint } from './hint-channel.ts'
import { openPostgresStore } from './postgres-store.ts'

const harness = new PostgresHarness()
const open: Store[] = []

afterAll(() => harness.close())
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()))
})

/** A store that listens, and one that does not; the first has heard everything up to now. */
async function pair({ schema = 'hints' } = {}) {
  const { url, query } = await harness.database()
  const hints: Hint[] = []
  const listening = await openPostgresStore({ url, schema, onHint: (hint) => hints.push(hint) })
  const other = await openPostgresStore({ url, schema })
  open.push(listening, other)
  await until(
    'it listens',
    () => hints.length,
    (heard) => heard > 0,
  )
  hints.length = 0
  return { listening, other, hints, query }
}

async function makeEndpoint(store: Store): Promise<{ id: string; configVersion: number }> {
  const endpoint = endpointRow()
  const made = await store.createEndpoint({ endpoint, maxPerTenant: 500 })
  return { id: endpoint.id, configVersion: made?.configVersion ?? 0 }
}

async function accept(store: Store, nodeId: string, grant: boolean) {
  const { id, configVersion } = await makeEndpoint(store)
  await store.joinNode({ nodeId, leaseMs: LEASE_MS })
  const item = { ...acceptItem({ targets: [target(id, grant)] }), configVersion }
  const [result] = await store.acceptEvents({ nodeId, recordedAt: T0, runEventBudget: 1000, items: [item] })
  if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
  return { item, position: result.position }
}

const wakes = (hints: Hint[]) => hints.filter(({ wake }) => wake === true).length

test('a change of the configuration is told to the other nodes with its version', async () => {
  const { other, hints } = await pair()
  const { configVersion } = await makeEndpoint(other)
  await until(
    'it is told',
    () => hints,
    (heard) => heard.some((hint) => hint.configVersion === configVersion),
  )
})

/** Ends the other store, which tells what it still has to tell; then all that was said before has been heard. */
async function allHeard({ listening, other, hints }: Awaited<ReturnType<typeof pair>>): Promise<void> {
  await other.close()
  const { configVersion } = await makeEndpoint(listening)
  await until(
    'all is heard',
    () => hints,
    (heard) => heard.some((hint) => hint.configVersion === configVersion),
  )
}

test('what one node accepts and leaves waiting wakes the other', async () => {
  const both = await pair()
  await accept(both.other, 'n-waiting', false)
  await allHeard(both)
  expect(wakes(both.hints)).toBe(1)
})

test('what a node sends itself wakes nobody', async () => {
  const both = await pair()
  await accept(both.other, 'n-granted', true)
  await allHeard(both)
  expect(wakes(both.hints)).toBe(0)
})

test('much that is accepted at once wakes the others only now and then', async () => {
  const both = await pair()
  const { id, configVersion } = await makeEndpoint(both.other)
  await both.other.joinNode({ nodeId: 'n-much', leaseMs: LEASE_MS })
  const batches = Array.from({ length: 100 }, (_, index) => {
    const items = [{ ...acceptItem({ runId: `run-${index}`, targets: [target(id)] }), configVersion }]
    return both.other.acceptEvents({ nodeId: 'n-much', recordedAt: T0, runEventBudget: 1000, items })
  })
  const begun = performance.now()
  await Promise.all(batches)
  const most = 2 + (performance.now() - begun) / 50
  await allHeard(both)
  expect(wakes(both.hints)).toBeGreaterThan(0)
  expect(wakes(both.hints)).toBeLessThanOrEqual(most)
})

test('a wake-up says something to every store but the one that sent it, and an unknown word nothing to anybody', () => {
  expect(readPayload(wakePayload('a'), 'a')).toBeNull()
  expect(readPayload(wakePayload('a'), 'b')).toEqual({ wake: true })
  expect(readPayload('sing loudly', 'b')).toBeNull()
})

test('a replay wakes the other nodes', async () => {
  const { other, hints } = await pair()
  const { item, position } = await accept(other, 'n-replay', true)
  const [claim] = await other.findClaims({ nodeId: 'n-replay', limit: 1 })
  if (claim === undefined) throw new Error('nothing was granted')
  const scope = { mode: 'live', tenantId: null } as const
  const deliveryId = item.targets[0]?.deliveryId ?? ''
  expect(await other.cancelDelivery({ scope, deliveryId, now: T0 })).not.toBeNull()
  const replayed = await other.replayDeliveries({
    ...{ eventPosition: position, target: { kind: 'all' }, newDeliveryId: 'unused', now: T0 },
  })
  expect(replayed).toMatchObject([{ id: deliveryId, status: 'pending' }])
  await until(
    'it is woken',
    () => wakes(hints),
    (heard) => heard === 1,
  )
})

test('a listener whose connection was ended listens again, and begins with everything', async () => {
  const { other, hints, query } = await pair()
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT value FROM settings%'
    AND datname = current_database() AND pid <> pg_backend_pid()`)
  const [first] = await until(
    'it listens again',
    () => hints,
    (heard) => heard.length > 0,
  )
  expect(first).toEqual({ configVersion: expect.any(Number) as number, wake: true })
  const { configVersion } = await makeEndpoint(other)
  await until(
    'it is told',
    () => hints,
    (heard) => heard.some((hint) => hint.configVersion === configVersion),
  )
})

test('two schemas of one database do not hear each other', async () => {
  const { hints } = await pair()
  const elsewhere = await pair({ schema: 'elsewhere' })
  const { configVersion } = await makeEndpoint(elsewhere.other)
  await until(
    'it is told',
    () => elsewhere.hints,
    (heard) => heard.some((hint) => hint.configVersion === configVersion),
  )
  expect(hints).toEqual([])
})
