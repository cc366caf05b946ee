import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { auditLine, type AuditEntry } from '../../core/audit/audit-entry.ts'
import { ChainCheck, type ChainVerdict } from '../../core/audit/check-chain.ts'
import type { AuditFilter } from '../audit.ts'
import type { ReadScope } from '../rows.ts'
import { apiKeyRow, attemptRecord, endpointRow, LIVE, MINUTE, ONE_PAGE, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const ANY: AuditFilter = { actor: null, actions: [], target: null, since: null, until: null }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function entry(fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    ...{ mode: 'live', tenantId: 'default', at: T0, actor: 'key_a', action: 'endpoint.updated', target: 'ep_1' },
    ...{ detail: {}, requestId: null },
    ...fields,
  }
}

export function auditTests(suite: StoreSuite): void {
  const contents = async (filter: Partial<AuditFilter> = {}, scope: ReadScope = LIVE) => {
    const { rows } = await suite.store.listAudit({ scope, filter: { ...ANY, ...filter }, page: ONE_PAGE })
    return rows.map(({ content }) => JSON.parse(content) as Record<string, unknown>)
  }
  const actions = async () => (await contents()).map(({ action }) => action).toReversed()
  const sealAll = async () => {
    while ((await suite.store.sealAudit({ limit: 3 })) > 0);
  }
  const verify = async (mode: ReadScope['mode'] = 'live', expected: ChainVerdict | null = null) => {
    const check = new ChainCheck({ sha256, expect: null })
    let afterSeq = 0
    for (;;) {
      const rows = await suite.store.readAudit({ scope: { mode, tenantId: null }, afterSeq, limit: 4 })
      for (const { seal, content } of rows) check.add(auditLine(seal, content))
      if (rows.length === 0) break
      afterSeq = rows.at(-1)?.seal?.seq ?? 0
    }
    const verdict = check.end()
    if (expected !== null) expect(verdict).toEqual(expected)
    return verdict
  }

  describe('audit: what is put on record', () => {
    it('is what changed something, in the same transaction, and nothing else', async () => {
      const { store } = suite
      const endpoint = endpointRow()
      const audit = (action: AuditEntry['action']) => [entry({ action })]
      await store.createEndpoint({ endpoint, maxPerTenant: 1, audit: audit('endpoint.created') })
      await store.createEndpoint({ endpoint: endpointRow(), maxPerTenant: 1, audit: audit('endpoint.deleted') })
      const change = { kind: 'status', status: 'paused', reason: null } as const
      const scope = LIVE
      await store.changeEndpoint({ scope, endpointId: endpoint.id, change, now: T0, audit: audit('endpoint.paused') })
      await store.changeEndpoint({ scope, endpointId: 'ep_none', change, now: T0, audit: audit('endpoint.deleted') })
      const key = apiKeyRow()
      await store.putApiKey({ key, audit: audit('api_key.created') })
      await store.putApiKey({ key, audit: audit('endpoint.deleted') })
      await store.revokeApiKey({ scope, keyId: key.id, now: T0, audit: audit('api_key.revoked') })
      await store.revokeApiKey({ scope, keyId: key.id, now: T0, audit: audit('endpoint.deleted') })
      const type = { mode: 'live', type: 'acme.a.done', definition: '{}', expected: 0, maxTypes: 1, now: T0 } as const
      await store.putEventType({ ...type, audit: audit('event_type.changed') })
      await store.putEventType({ ...type, audit: audit('endpoint.deleted') })
      await store.putEventType({ ...type, type: 'acme.b.done', audit: audit('endpoint.deleted') })
      const limits = { eventsPerSecond: null, maxPending: null }
      const tenant = {
        mode: 'live',
        tenantId: 'mine',
        maxDataClasses: [],
        limits,
        decidesApprovals: false,
        now: T0,
      } as const
      await store.putTenant({ ...tenant, maxDataClasses: [], audit: audit('tenant.updated') })
      expect(await actions()).toEqual([
        ...['endpoint.created', 'endpoint.paused', 'api_key.created', 'api_key.revoked'],
        ...['event_type.changed', 'tenant.updated'],
      ])
    })

    it('is what was asked of deliveries, if it was done', async () => {
      const { store } = suite
      const { deliveryId, event } = await suite.delivery()
      const asked = { scope: LIVE, deliveryId, now: T0 }
      await store.cancelDelivery({ ...asked, audit: [entry({ action: 'delivery.cancelled' })] })
      await store.cancelDelivery({ ...asked, audit: [entry({ action: 'endpoint.deleted' })] })
      const target = { kind: 'delivery', deliveryId } as const
      const replay = { eventPosition: event.position, newDeliveryId: 'dlv_new', now: T0 }
      await store.replayDeliveries({ ...replay, target, audit: [entry({ action: 'delivery.replayed' })] })
      const nobody = { kind: 'delivery', deliveryId: 'dlv_none' } as const
      await store.replayDeliveries({ ...replay, target: nobody, audit: [entry({ action: 'endpoint.deleted' })] })
      const discard = { ...asked, note: null }
      await store.discardDeadLetter({ ...discard, audit: [entry({ action: 'endpoint.deleted' })] })
      expect(await actions()).toEqual(['delivery.cancelled', 'delivery.replayed'])
    })

    it('is an endpoint that the service itself disabled, once', async () => {
      const { endpointId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const verdict = { kind: 'dead_letter', reason: 'gone' } as const
      const record = attemptRecord(claim, { verdict, endpointEffect: { kind: 'disable', reason: 'gone' } })
      expect(await suite.record(FIRST_NODE, record, T0 + 5)).toBe('recorded')
      expect(await suite.record(FIRST_NODE, record, T0 + 9)).toBe('stale')
      expect(await contents()).toEqual([
        {
          ...{ at: new Date(T0 + 5).toISOString(), actor: 'system', action: 'endpoint.disabled', target: endpointId },
          ...{ tenant_id: 'default', mode: 'live', detail: { reason: 'gone' }, request_id: null },
        },
      ])
    })

    it('is kept over a restart', async () => {
      await suite.store.appendAudit({ entries: [entry({ target: 'a' })] })
      await sealAll()
      if (!(await suite.reopen())) return
      await suite.store.appendAudit({ entries: [entry({ target: 'b' })] })
      await sealAll()
      expect(await verify()).toMatchObject({ ok: true, entries: 2 })
    })
  })

  describe('audit: looking', () => {
    it('lists newest first, in pages, by tenant, actor, action, target and time', async () => {
      await suite.store.appendAudit({
        entries: [
          entry({ target: 'a', at: T0 }),
          entry({ target: 'b', at: T0 + 1, tenantId: 'other', actor: 'key_b' }),
          entry({ target: 'c', at: T0 + 2, tenantId: null, action: 'tenant.updated' }),
          entry({ target: 'd', at: T0 + 3, mode: 'test' }),
        ],
      })
      const targets = async (filter: Partial<AuditFilter>, scope?: ReadScope) =>
        (await contents(filter, scope)).map(({ target }) => target)
      expect(await targets({})).toEqual(['c', 'b', 'a'])
      expect(await targets({}, { mode: 'live', tenantId: 'other' })).toEqual(['b'])
      expect(await targets({}, { mode: 'test', tenantId: null })).toEqual(['d'])
      expect(await targets({ actor: 'key_b' })).toEqual(['b'])
      expect(await targets({ actions: ['tenant.updated', 'event.erased'] })).toEqual(['c'])
      expect(await targets({ target: 'a' })).toEqual(['a'])
      expect(await targets({ since: T0 + 1, until: T0 + 2 })).toEqual(['b'])
      const ask = { scope: LIVE, filter: ANY }
      const first = await suite.store.listAudit({ ...ask, page: { limit: 2, after: null } })
      expect(first.rows.map(({ content }) => JSON.parse(content).target)).toEqual(['c', 'b'])
      const second = await suite.store.listAudit({ ...ask, page: { limit: 2, after: first.next } })
      expect(second.rows.map(({ content }) => JSON.parse(content).target)).toEqual(['a'])
      expect(second.next).toBeNull()
    })
  })

  describe('audit: the chain', () => {
    it('takes every entry in once, in commit order, each mode for itself', async () => {
      const entries = Array.from({ length: 8 }, (_, n) =>
        entry({ target: `t${n}`, mode: n % 4 === 0 ? 'test' : 'live' }),
      )
      await suite.store.appendAudit({ entries: entries.slice(0, 5) })
      expect(await suite.store.sealAudit({ limit: 2 })).toBe(4)
      await suite.store.appendAudit({ entries: entries.slice(5) })
      await sealAll()
      expect(await suite.store.sealAudit({ limit: 100 })).toBe(0)
      expect(await verify('live')).toMatchObject({ ok: true, entries: 6, from: 1, head: { seq: 6 } })
      expect(await verify('test')).toMatchObject({ ok: true, entries: 2, from: 1, head: { seq: 2 } })
    })

    it('seals an entry once, however many ask at the same time', async () => {
      await suite.store.appendAudit({ entries: Array.from({ length: 20 }, () => entry()) })
      const sealed = await Promise.all([1, 2, 3, 4].map(() => suite.store.sealAudit({ limit: 100 })))
      expect(sealed.reduce((sum, count) => sum + count)).toBe(20)
      expect(await verify()).toMatchObject({ ok: true, entries: 20 })
    })

    it('goes on from what was pruned, which stays on record', async () => {
      const prune = (before: number, limit: number) =>
        suite.store.pruneAudit({ mode: 'live', before, limit, now: T0 + MINUTE })
      await suite.store.appendAudit({ entries: [0, 1, 2, 3, 4].map((n) => entry({ at: T0 + n, target: `t${n}` })) })
      expect(await prune(T0 + 9, 10)).toBe(0)
      await sealAll()
      expect(await prune(T0 + 4, 3)).toBe(3)
      await sealAll()
      expect(await verify()).toMatchObject({ ok: true, entries: 3, from: 4, head: { seq: 6 } })
      expect(await prune(T0 + 4, 10)).toBe(1)
      expect(await prune(T0 + 4, 10)).toBe(0)
      await sealAll()
      expect(await verify()).toMatchObject({ ok: true, entries: 3, from: 5, head: { seq: 7 } })
    })

    it('goes on when everything there was has been pruned', async () => {
      await suite.store.appendAudit({ entries: [entry(), entry()] })
      await sealAll()
      expect(await suite.store.pruneAudit({ mode: 'live', before: T0 + 1, limit: 10, now: T0 + 1 })).toBe(2)
      await sealAll()
      expect(await verify()).toMatchObject({ ok: true, entries: 1, from: 3, head: { seq: 3 } })
    })
  })
}
