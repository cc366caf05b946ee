import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { auditLine, type AuditEntry } from '../../core/audit/audit-entry.ts'
import { ChainCheck } from '../../core/audit/check-chain.ts'
import {
  acceptItem,
  ALL_DELIVERIES,
  ALL_EVENTS,
  apiKeyRow,
  attemptRecord,
  bytes,
  endpointRow,
  LEASE_MS,
  LIVE,
  MINUTE,
  newId,
  ONE_PAGE,
  T0,
  target,
} from '../conformance/builders.ts'
import type { AcceptItem } from '../accept.ts'
import type { Claim } from '../rows.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

/*
 * What administrators and maintenance do, on two nodes at once. What happens first is left to chance: whichever it is, what is
 * read afterwards has to make sense.
 */

const harness = new PostgresHarness()
const NODE = 'node-a'
const OLD = T0 - 100 * MINUTE
let one: Store
let two: Store

beforeAll(async () => {
  two = await openPostgresStore({ url: (await harness.database()).url })
}, 60_000)

afterAll(async () => {
  await two.close()
  await harness.close()
})

let cleanup: () => Promise<void>
beforeEach(async () => {
  const made = await harness.make()
  one = made.store
  cleanup = made.cleanup
  await one.joinNode({ nodeId: NODE, leaseMs: LEASE_MS })
})

afterEach(() => cleanup())

async function addEndpoint(): Promise<string> {
  const endpoint = endpointRow()
  await one.createEndpoint({ endpoint, maxPerTenant: 500 })
  return endpoint.id
}

async function accept(items: AcceptItem[], at: number): Promise<number[]> {
  const { configVersion } = await one.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const current = items.map((item) => ({ ...item, configVersion }))
  const results = await one.acceptEvents({ nodeId: NODE, recordedAt: at, runEventBudget: 1000, items: current })
  return results.map((result) => (result.kind === 'accepted' ? result.position : Number.NaN))
}

/** Old events, each delivered to the endpoint. */
async function delivered(endpointId: string, count: number): Promise<number[]> {
  const items = Array.from({ length: count }, () => acceptItem({ runId: null, targets: [target(endpointId)] }))
  const positions = await accept(items, OLD)
  const { claims } = await one.claimDue({ nodeId: NODE, now: T0, requests: [{ endpointId, limit: count }] })
  const records = claims.map((claim) => attemptRecord(claim, { startedAt: OLD }))
  await one.recordAttempts({ nodeId: NODE, now: OLD, records })
  return positions
}

const PRUNE = { mode: 'live', before: T0 - MINUTE, now: T0 + MINUTE, limit: 8, again: null } as const

async function pruneAll(store: Store, what: 'events' | 'payloads' | 'attempts'): Promise<number> {
  let removed = 0
  for (let next: number | null = 0; next !== null;) {
    const round = await store.prune({ ...PRUNE, what })
    removed += round.removed
    next = round.next
  }
  return removed
}

describe('changes by two nodes at once', () => {
  test('of one endpoint: none is lost, and each has a version of its own', async () => {
    const endpointId = await addEndpoint()
    const patches = [
      { description: 'new' },
      { timeoutMs: 7 },
      { maxInFlight: 3 },
      { rateLimit: 9 },
      { headers: { a: 'b' } },
    ]
    const answers = await Promise.all(
      patches.map((patch, index) => {
        const store = index % 2 === 0 ? one : two
        return store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'patch', patch }, now: T0 })
      }),
    )
    expect(new Set(answers.map((answer) => answer?.configVersion)).size).toBe(patches.length)
    expect(await two.findEndpoint({ scope: LIVE, endpointId })).toMatchObject(Object.assign({}, ...patches) as object)
  })

  test('of the secrets of one endpoint: each is there once, in one order', async () => {
    const endpointId = await addEndpoint()
    const secrets = [1, 2, 3, 4].map(() => ({
      ...({
        id: newId('secret'),
        kind: 'hmac',
        value: 'whsec_x',
        publicKey: null,
        createdAt: T0,
        expiresAt: null,
      } as const),
    }))
    await Promise.all(
      secrets.map((secret, index) => {
        const change = { kind: 'add_secret', secret, retireAt: T0 + MINUTE, max: 5 } as const
        return (index % 2 === 0 ? one : two).changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
      }),
    )
    const found = (await one.findEndpoint({ scope: LIVE, endpointId }))?.secrets ?? []
    expect(found).toHaveLength(5)
    expect(found.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(1)
    expect(found[0]?.expiresAt).toBeNull()
  })

  test('of one key: it is put once, revoked once, and on record once', async () => {
    const key = apiKeyRow()
    const entry: AuditEntry = {
      ...{ mode: 'live', tenantId: null, at: T0, actor: 'cli', action: 'api_key.created', target: key.id },
      ...{ detail: {}, requestId: null },
    }
    const put = [one, two, one, two].map((store) => store.putApiKey({ key, audit: [entry] }))
    expect((await Promise.all(put)).filter(({ created }) => created)).toHaveLength(1)
    const revoke = [one, two].map((store) => store.revokeApiKey({ scope: LIVE, keyId: key.id, now: T0 }))
    expect((await Promise.all(revoke)).filter(Boolean)).toHaveLength(1)
    const filter = { actor: null, actions: [], target: null, since: null, until: null }
    expect((await one.listAudit({ scope: LIVE, filter, page: ONE_PAGE })).rows).toHaveLength(1)
  })

  test('a replay to an endpoint that is new makes one delivery', async () => {
    const [position] = await accept([acceptItem()], T0)
    const endpointId = await addEndpoint()
    const ask = () => ({
      ...{ eventPosition: position as number, target: { kind: 'endpoint', endpointId } as const },
      ...{ newDeliveryId: newId('delivery'), now: T0 },
    })
    const answers = await Promise.all([one, two, one, two].map((store) => store.replayDeliveries(ask())))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect((await one.listDeliveries(ALL_DELIVERIES)).rows).toHaveLength(1)
  })

  test('the audit chain takes in every entry once, whoever writes and seals meanwhile', async () => {
    const entry = (about: number): AuditEntry => ({
      ...{ mode: 'live', tenantId: null, at: T0, actor: 'key_a', action: 'payload.viewed', target: `t${about}` },
      ...{ detail: {}, requestId: null },
    })
    const work = Array.from({ length: 24 }, (_, index) => {
      const store = index % 2 === 0 ? one : two
      return index % 3 === 0
        ? store.sealAudit({ limit: 7 })
        : store.appendAudit({ entries: [entry(index), entry(-index)] })
    })
    await Promise.all(work)
    const seal = async (store: Store) => {
      while ((await store.sealAudit({ limit: 5 })) > 0);
    }
    await Promise.all([seal(one), seal(two)])
    const check = new ChainCheck({ sha256: (text) => createHash('sha256').update(text).digest('hex'), expect: null })
    for (const { seal: place, content } of await one.readAudit({ scope: LIVE, afterSeq: 0, limit: 1000 })) {
      check.add(auditLine(place, content))
    }
    expect(check.end()).toMatchObject({ ok: true, entries: 32, from: 1 })
  })
})

describe('retention on two nodes at once', () => {
  test('removes what is old once, all of it, and nothing that is pending', async () => {
    const endpointId = await addEndpoint()
    await delivered(endpointId, 40)
    const waiting = acceptItem({ runId: null, targets: [target(endpointId)] })
    await accept([waiting], OLD)
    const kinds = ['payloads', 'attempts', 'events'] as const
    const removed = await Promise.all([one, two].flatMap((store) => kinds.map((what) => pruneAll(store, what))))
    expect((removed[2] as number) + (removed[5] as number)).toBe(40)
    expect((await one.listEvents(ALL_EVENTS)).rows.map(({ eventId }) => eventId)).toEqual([waiting.eventId])
    const { rows } = await one.listDeliveries(ALL_DELIVERIES)
    expect(rows).toMatchObject([{ eventId: waiting.eventId, status: 'pending' }])
    expect(rows[0]?.bodySha256).toHaveLength(32)
  })

  test('and a replay: it is reopened and stays whole, or it is gone', async () => {
    const endpointId = await addEndpoint()
    const positions = await delivered(endpointId, 30)
    const replay = (eventPosition: number) =>
      two.replayDeliveries({ eventPosition, target: { kind: 'all' }, newDeliveryId: newId('delivery'), now: T0 })
    const prunes = Promise.all([pruneAll(one, 'payloads'), pruneAll(two, 'attempts'), pruneAll(one, 'events')])
    const answers = await Promise.all(positions.map(replay))
    await prunes
    const events = new Map((await one.listEvents(ALL_EVENTS)).rows.map((event) => [event.position, event]))
    for (const [index, answer] of answers.entries()) {
      const event = events.get(positions[index] as number)
      if (Array.isArray(answer) && answer.length > 0) expect(event?.deliveries).toMatchObject({ pending: 1, total: 1 })
      if (Array.isArray(answer) && answer.length > 0) expect(event?.body.length).toBeGreaterThan(0)
      if (answer === 'payload_gone' && event !== undefined) expect(event.body).toHaveLength(0)
    }
  })

  test('and acceptance: a run that gets another event is never taken from under it', async () => {
    for (let round = 0; round < 10; round++) {
      const runId = `run-${round}`
      await accept([acceptItem({ runId })], OLD)
      const [next] = await Promise.all([accept([acceptItem({ runId })], T0), pruneAll(two, 'events')])
      const filter = { ...ALL_EVENTS.filter, runId }
      const { rows } = await one.listEvents({ ...ALL_EVENTS, filter })
      expect(rows.map(({ position }) => position)).toContain(next?.[0])
    }
  })
})

test('an outcome that is recorded while its event is erased leaves nothing of the answer', async () => {
  const endpointId = await addEndpoint()
  for (let round = 0; round < 10; round++) {
    const item = acceptItem({ runId: null, targets: [target(endpointId)] })
    const [position] = await accept([item], T0)
    const { claims } = await one.claimDue({ nodeId: NODE, now: T0, requests: [{ endpointId, limit: 1 }] })
    const record = attemptRecord(claims[0] as Claim, { excerpt: bytes('echo'), responseHeaders: { 'x-echo': 'echo' } })
    await Promise.all([
      one.recordAttempts({ nodeId: NODE, now: T0, records: [record] }),
      two.eraseEvent({ eventPosition: position as number, now: T0 }),
    ])
    const deliveryId = item.targets[0]?.deliveryId as string
    const found = await one.listAttempts({ scope: LIVE, deliveryId })
    expect(found?.attempts).toMatchObject([{ outcome: 'delivered', excerpt: null, responseHeaders: {} }])
  }
})
