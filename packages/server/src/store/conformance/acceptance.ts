import { describe, expect, it } from 'vitest'
import type { AcceptResult } from '../accept.ts'
import { acceptItem, expectedBody, failedRecord, hex, LIVE, sha256Hex, T0, target, text } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

function accepted(results: AcceptResult[]) {
  return results.map((result) => {
    if (result.kind !== 'accepted') throw new Error(`not accepted: ${result.kind}`)
    return result
  })
}

export function acceptanceTests(suite: StoreSuite): void {
  order(suite)
  bodies(suite)
  deliveries(suite)
  staleness(suite)
}

function order(suite: StoreSuite): void {
  describe('acceptance: order', () => {
    it('gives rising positions, within a batch and over batches', async () => {
      const first = accepted(await suite.accept([acceptItem(), acceptItem({ runId: null }), acceptItem()]))
      const second = accepted(await suite.accept([acceptItem({ tenantId: 'other' })]))
      const positions = [...first, ...second].map((result) => result.position)
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b))
    })

    it('gives positions that rise over calls at the same time, each its own', async () => {
      const calls = Array.from({ length: 20 }, () => suite.acceptOne(acceptItem()))
      const results = await Promise.all(calls)
      expect(new Set(results.map((result) => result.position)).size).toBe(20)
      const sequences = results.map((result) => result.sequence as number)
      expect(sequences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
      // Who committed earlier has both the lower position and the lower sequence.
      const byPosition = results.toSorted((a, b) => a.position - b.position).map((result) => result.sequence as number)
      expect(byPosition).toEqual(byPosition.toSorted((a, b) => a - b))
    })

    it('counts the sequence from 1 per run, within a batch and over batches', async () => {
      const runs = ['a', 'b', 'a', 'a']
      const first = accepted(await suite.accept(runs.map((runId) => acceptItem({ runId }))))
      expect(first.map((result) => result.sequence)).toEqual([1, 1, 2, 3])
      const second = accepted(await suite.accept(['b', 'a'].map((runId) => acceptItem({ runId }))))
      expect(second.map((result) => result.sequence)).toEqual([2, 4])
    })

    it('counts the sequence of each tenant and mode apart', async () => {
      const items = [
        acceptItem({ runId: 'a' }),
        acceptItem({ runId: 'a', tenantId: 'other' }),
        acceptItem({ runId: 'a', mode: 'test' }),
        acceptItem({ runId: 'a' }),
      ]
      expect(accepted(await suite.accept(items)).map((result) => result.sequence)).toEqual([1, 1, 1, 2])
    })

    it('gives no sequence to an event without a run', async () => {
      expect((await suite.acceptOne(acceptItem({ runId: null }))).sequence).toBeNull()
    })
  })
}

function bodies(suite: StoreSuite): void {
  describe('acceptance: bytes', () => {
    it('splices recorded_at and sequence into the bytes and hashes them', async () => {
      const item = acceptItem({ data: '{"n": 1.0, "big": 12345678901234567890, "s":"\\u0000é"}' })
      await suite.acceptOne(acceptItem())
      const result = await suite.acceptOne(item, { at: T0 + 7 })
      expect(result).toMatchObject({ sequence: 2, recordedAt: T0 + 7 })
      const body = expectedBody(item, T0 + 7, 2)
      expect(hex(result.bodySha256)).toBe(sha256Hex(body))
      const stored = await suite.store.readBody({ eventPosition: result.position, endpointId: null })
      expect(text(stored)).toBe(text(body))
      expect(JSON.parse(text(stored) as string)).toMatchObject({ sequence: 2, recorded_at: '2026-01-05T12:00:00.007Z' })
    })

    it('leaves sequence out of the bytes of an event without a run', async () => {
      const item = acceptItem({ runId: null, expiresAt: T0 + 1000 })
      const { position } = await suite.acceptOne(item)
      const stored = await suite.store.readBody({ eventPosition: position, endpointId: null })
      expect(text(stored)).toBe(text(expectedBody(item, T0, null)))
      expect(JSON.parse(text(stored) as string)).not.toHaveProperty('sequence')
    })

    it('gives the same bytes to the reader, the delivery and every claim (G9)', async () => {
      // Parsed and written again, this would be other bytes.
      const data = '{"n": 1.0, "big": 12345678901234567890, "z":-0, "s":"\\u00e9"}'
      const { item, event, endpointId, deliveryId } = await suite.delivery({ item: { data } })
      const body = text(expectedBody(item, T0, 1))
      const [row] = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(text(row?.body ?? null)).toBe(body)
      expect(hex(row?.bodySha256 as Uint8Array)).toBe(hex(event.bodySha256))
      expect(hex((await suite.row(deliveryId)).bodySha256)).toBe(hex(event.bodySha256))
      expect(text(await suite.store.readBody({ eventPosition: event.position, endpointId }))).toBe(body)
      const first = await suite.claimOne(FIRST_NODE, endpointId)
      expect(text(first.body)).toBe(body)
      await suite.record(FIRST_NODE, failedRecord(first, T0 + 10))
      expect(text((await suite.claimOne(FIRST_NODE, endpointId, T0 + 10)).body)).toBe(body)
    })

    it('has no body for an event or an endpoint that has none', async () => {
      const { event } = await suite.delivery()
      const stranger = await suite.endpoint()
      const { store } = suite
      expect(await store.readBody({ eventPosition: event.position + 1000, endpointId: null })).toBeNull()
      expect(await store.readBody({ eventPosition: event.position, endpointId: stranger.id })).toBeNull()
    })
  })
}

function deliveries(suite: StoreSuite): void {
  describe('acceptance: deliveries', () => {
    it('stores an event that matches no endpoint (G4)', async () => {
      const item = acceptItem()
      const result = await suite.acceptOne(item)
      expect(result.deliveryPositions).toEqual([])
      const rows = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(rows).toHaveLength(1)
      expect(rows[0]?.deliveries).toEqual({
        total: 0,
        delivered: 0,
        pending: 0,
        dead_lettered: 0,
        cancelled: 0,
        expired: 0,
      })
    })

    it('makes one delivery per target and answers their positions in the order of the targets', async () => {
      const endpoints = [await suite.endpoint(), await suite.endpoint(), await suite.endpoint()]
      const targets = endpoints.toReversed().map((endpoint) => target(endpoint.id))
      const result = await suite.acceptOne(acceptItem({ targets }))
      const rows = await Promise.all(targets.map(({ deliveryId }) => suite.row(deliveryId)))
      expect(rows.map((row) => row.position)).toEqual(result.deliveryPositions)
      expect(rows.map((row) => row.endpointId)).toEqual(targets.map(({ endpointId }) => endpointId))
    })

    it('leaves a delivery without a grant pending and due at once', async () => {
      const { item, event, endpointId, deliveryId, position } = await suite.delivery({ at: T0 + 3 })
      expect(await suite.row(deliveryId)).toEqual({
        position,
        id: deliveryId,
        eventPosition: event.position,
        eventId: item.eventId,
        eventType: item.type,
        runId: 'run-1',
        endpointId,
        tenantId: 'default',
        mode: 'live',
        status: 'pending',
        reason: null,
        attemptCount: 0,
        nextAttemptAt: T0 + 3,
        waitsBehind: null,
        bodySha256: expect.any(Uint8Array),
        classes: 0,
        lastOutcome: null,
        createdAt: T0 + 3,
        updatedAt: T0 + 3,
        discardedAt: null,
        note: null,
      })
      const found = await suite.store.listAttempts({ scope: LIVE, deliveryId })
      expect(found?.attempts).toEqual([])
    })

    it('records attempt 1 of a granted delivery in the same commit (G8)', async () => {
      const { deliveryId, endpointId } = await suite.delivery({ grant: true })
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', attemptCount: 1, nextAttemptAt: null })
      const found = await suite.store.listAttempts({ scope: LIVE, deliveryId })
      expect(found?.attempts).toMatchObject([
        { number: 1, trigger: 'scheduled', startedAt: T0, outcome: null, durationMs: null },
      ])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + 1000 })).toHaveLength(0)
    })
  })
}

function staleness(suite: StoreSuite): void {
  describe('acceptance: items matched before endpoints changed', () => {
    it('are answered as stale, and nothing of them is stored', async () => {
      const endpoint = await suite.endpoint()
      const old = acceptItem({ targets: [target(endpoint.id)], configVersion: await suite.configVersion() })
      await suite.endpoint()
      const configVersion = await suite.configVersion()
      const fresh = acceptItem({ configVersion })
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [old, fresh] }
      const results = await suite.store.acceptEvents(batch)
      expect(results[0]).toEqual({ kind: 'stale', configVersion })
      // The stale one used up no sequence of their common run.
      expect(results[1]).toMatchObject({ kind: 'accepted', sequence: 1 })
      expect(await suite.store.findEvents({ scope: LIVE, eventId: old.eventId })).toEqual([])
      expect(await suite.dueEndpoints()).toEqual([])
      expect(await suite.acceptOne(old)).toMatchObject({ kind: 'accepted', sequence: 2 })
    })
  })
}
