import { describe, expect, it } from 'vitest'
import {
  acceptItem,
  ALL_DELIVERIES,
  ALL_EVENTS,
  apiKeyRow,
  attemptRecord,
  bytes,
  expectedBody,
  failedRecord,
  hex,
  LEASE_MS,
  LIVE,
  MINUTE,
  ONE_PAGE,
  sha256Hex,
  T0,
} from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function durabilityTests(suite: StoreSuite): void {
  anyBytes(suite)
  ownership(suite)
  reopening(suite)
}

/** Every byte there is, NUL first, so that it is not valid UTF-8. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index)

function anyBytes(suite: StoreSuite): void {
  describe('bytes', () => {
    it('keeps any bytes in an excerpt', async () => {
      for (const excerpt of [EVERY_BYTE, new Uint8Array(), bytes('')]) {
        const { endpointId, deliveryId } = await suite.delivery()
        const claim = await suite.claimOne(FIRST_NODE, endpointId)
        await suite.record(FIRST_NODE, attemptRecord(claim, { excerpt, truncated: true }))
        const [attempt] = await suite.attempts(deliveryId)
        expect(hex(attempt?.excerpt as Uint8Array)).toBe(hex(excerpt))
        expect(attempt?.truncated).toBe(true)
      }
    })

    it('keeps data with NUL escapes, lone surrogates, big numbers and odd text exactly', async () => {
      const data = '{"a":"\\u0000\\ud800","b":1E400,"c":-0,"d":1.0,"e":"\u2028😀\u0001","a":2}'
      const item = acceptItem({ data })
      const { position, bodySha256 } = await suite.acceptOne(item)
      const stored = await suite.store.readBody({ eventPosition: position, endpointId: null })
      expect(hex(stored as Uint8Array)).toBe(hex(expectedBody(item, T0, 1)))
      expect(hex(bodySha256)).toBe(sha256Hex(stored as Uint8Array))
    })

    it('keeps a source of 1 MiB exactly', async () => {
      const { item, event, endpointId } = await suite.delivery({
        item: { data: `{"text":"${'é'.repeat(512 * 1024)}"}` },
      })
      expect(item.source.length).toBeGreaterThan(1024 * 1024)
      const expected = sha256Hex(expectedBody(item, T0, 1))
      expect(hex(event.bodySha256)).toBe(expected)
      const [row] = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(sha256Hex(row?.body as Uint8Array)).toBe(expected)
      expect(sha256Hex((await suite.claimOne(FIRST_NODE, endpointId)).body)).toBe(expected)
    })

    it('keeps ids and texts that look like something else', async () => {
      const runId = "r'1%_/:@=+-."
      const tenantId = "t';--*"
      const item = acceptItem({ runId, tenantId, idempotencyKey: 'key\u0001"\u{1f600}' })
      await suite.acceptOne(item)
      const scope = { mode: 'live', tenantId } as const
      const filter = { ...ALL_EVENTS.filter, runId }
      const { rows } = await suite.store.listEvents({ scope, filter, page: ONE_PAGE })
      expect(rows).toMatchObject([{ eventId: item.eventId, runId, tenantId }])
      expect(await suite.accept([item])).toMatchObject([{ kind: 'duplicate' }])
    })
  })
}

function ownership(suite: StoreSuite): void {
  describe('what is handed over', () => {
    it('is not changed when the caller changes its own copy later', async () => {
      const item = acceptItem({ configVersion: await suite.configVersion() })
      const expected = hex(expectedBody(item, T0, 1))
      const call = suite.store.acceptEvents({ nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [item] })
      item.source.fill(0)
      await call
      const first = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(hex(first[0]?.body as Uint8Array)).toBe(expected)
      first[0]?.body.fill(0)
      const second = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(hex(second[0]?.body as Uint8Array)).toBe(expected)
    })

    it('leaves the caller its own bytes whole', async () => {
      const item = acceptItem()
      const before = { source: hex(item.source), fingerprint: hex(item.fingerprint) }
      await suite.acceptOne(item)
      expect({ source: hex(item.source), fingerprint: hex(item.fingerprint) }).toEqual(before)
    })
  })
}

function reopening(suite: StoreSuite): void {
  describe('opened again', () => {
    it('has everything that was there', async (context) => {
      if (suite.harness?.reopen === undefined) return context.skip('this store keeps nothing after it is closed')
      const one = await suite.delivery({ item: { idempotencyKey: 'order-1' } })
      await suite.record(FIRST_NODE, failedRecord(await suite.claimOne(FIRST_NODE, one.endpointId), T0 + MINUTE))
      const dead = await suite.delivery()
      await suite.deadLetter(FIRST_NODE, dead.endpointId)
      await suite.delivery({ grant: true })
      const key = apiKeyRow()
      await suite.store.putApiKey({ key })
      await suite.store.serverSecret({ name: 'fingerprint', candidate: EVERY_BYTE })
      await suite.store.heartbeat({ nodeId: FIRST_NODE, leaseMs: LEASE_MS, highWater: T0 + 77 })
      const before = await readEverything(suite)
      expect(await suite.reopen()).toBe(true)
      expect(await readEverything(suite)).toEqual(before)
      expect((await suite.store.findApiKey({ keyId: key.id })).key).not.toBeNull()
      const secret = await suite.store.serverSecret({ name: 'fingerprint', candidate: bytes('other') })
      expect(hex(secret)).toBe(hex(EVERY_BYTE))
      expect(await suite.store.joinNode({ nodeId: 'node-b', leaseMs: LEASE_MS })).toMatchObject({ highWater: T0 + 77 })
      // Positions, sequences and idempotency go on from there.
      const again = { ...one.item, configVersion: await suite.configVersion() }
      const next = acceptItem({ configVersion: again.configVersion })
      const batch = { nodeId: 'node-b', recordedAt: T0 + MINUTE, runEventBudget: 1000, items: [again, next] }
      const results = await suite.store.acceptEvents(batch)
      expect(results).toMatchObject([{ kind: 'duplicate' }, { kind: 'accepted', sequence: 4 }])
      await suite.crashAll('node-c')
      expect((await suite.rescueAll('node-c')).rescued).toHaveLength(1)
    })
  })
}

/** All that can be read, with bytes as hex. */
async function readEverything({ store }: StoreSuite): Promise<unknown> {
  const events = (await store.listEvents(ALL_EVENTS)).rows
  const deliveries = (await store.listDeliveries(ALL_DELIVERIES)).rows
  const attempts = await Promise.all(deliveries.map(({ id }) => store.listAttempts({ scope: LIVE, deliveryId: id })))
  const endpoints = (await store.listEndpoints({ scope: LIVE, page: ONE_PAGE })).rows
  const keys = (await store.listApiKeys({ scope: LIVE, page: ONE_PAGE })).rows
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const everything = { events, deliveries, attempts, endpoints, keys, configVersion }
  return JSON.parse(
    JSON.stringify(everything, (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value)),
  )
}
