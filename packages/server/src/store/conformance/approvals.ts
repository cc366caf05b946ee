import type { ApprovalState } from '@runbell/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import type { AcceptItem, AcceptResult } from '../accept.ts'
import type { ApprovalDetail, ApprovalFilter } from '../approvals.ts'
import type { CursorPage } from '../rows.ts'
import { factItem, LIVE, MINUTE, newId, ONE_PAGE, T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function approvalTests(suite: StoreSuite): void {
  kept(suite)
  decisions(suite)
  lists(suite)
  overdue(suite)
}

type FactInput = Parameters<typeof factItem>[1]

function about(name: string, id: string, input: FactInput = {}): AcceptItem {
  return factItem(`agent.approval.${name}`, { child: { kind: 'approval', id }, ...input })
}
const requested = (id: string, input: FactInput = {}) => about('requested', id, input)
/** What the service says of it. */
const decided = (name: string, id: string, input: FactInput = {}) => about(name, id, { byService: true, ...input })

const ANY: ApprovalFilter = { statuses: [], runId: null, since: null, until: null }

async function theApproval(suite: StoreSuite, approvalId: string): Promise<ApprovalDetail> {
  const found = await suite.store.findApprovals({ scope: LIVE, approvalId, runId: null })
  expect(found).toHaveLength(1)
  return found[0] as ApprovalDetail
}

const ids = ({ rows }: CursorPage<ApprovalDetail>) => rows.map(({ approvalId }) => approvalId)
const kinds = (results: AcceptResult[]) =>
  results.map((result) => (result.kind === 'refused' ? result.code : result.kind))

function setDeciding(suite: StoreSuite, decidesApprovals: boolean, { tenantId = 'default', now = T0 } = {}) {
  const limits = { eventsPerSecond: null, maxPending: null }
  return suite.store.putTenant({ mode: 'live', tenantId, maxDataClasses: null, limits, decidesApprovals, now })
}

function kept(suite: StoreSuite): void {
  describe('approvals: what has become of them', () => {
    it('is kept as their events are accepted, in one batch or in several', async () => {
      await suite.accept([requested('a', { decideBy: T0 + MINUTE }), requested('b'), about('approved', 'b')])
      expect(await theApproval(suite, 'a')).toMatchObject({
        ...{ mode: 'live', tenantId: 'default', runId: 'run-1', approvalId: 'a', status: 'pending', endedAt: null },
        ...{
          decideBy: T0 + MINUTE,
          createdAt: T0,
          endedHere: false,
          runHasEnded: false,
          decidesSince: null,
          end: null,
        },
        ...{ runAgentId: 'support-agent', request: { type: 'agent.approval.requested', sequence: 1 } },
      })
      expect(await theApproval(suite, 'b')).toMatchObject({
        ...{ status: 'approved', decideBy: null, endedAt: T0, endedHere: false },
        ...{ request: { sequence: 2 }, end: { type: 'agent.approval.approved', sequence: 3 } },
      })
      await suite.accept([about('denied', 'a')], { at: T0 + 5 })
      expect(await theApproval(suite, 'a')).toMatchObject({
        ...{ status: 'denied', decideBy: T0 + MINUTE, createdAt: T0, endedAt: T0 + 5, end: { sequence: 4 } },
      })
    })

    it('is the first end there was, and its request the first one', async () => {
      await suite.accept([
        requested('a'),
        requested('a', { decideBy: T0 }),
        about('expired', 'a'),
        about('approved', 'a'),
      ])
      expect(await theApproval(suite, 'a')).toMatchObject({
        ...{ status: 'expired', decideBy: null, request: { sequence: 1 }, end: { sequence: 3 } },
      })
    })

    it.each(['approved', 'denied', 'expired', 'cancelled'])('is %s where its request never came', async (name) => {
      await suite.accept([about(name, 'a')])
      expect(await theApproval(suite, 'a')).toMatchObject({ status: name, request: null, end: { sequence: 1 } })
    })

    it('counts no duplicate and nothing that was refused', async () => {
      const item = requested('a', { decideBy: T0 + 1 })
      await suite.accept([item, item])
      await suite.accept([
        { ...item, fingerprint: new Uint8Array(32) },
        requested('b', { runId: null, lifecycle: null }),
      ])
      expect(ids(await suite.store.listApprovals({ scope: LIVE, filter: ANY, page: ONE_PAGE }))).toEqual(['a'])
    })

    it('knows which have ended', async () => {
      await suite.accept([requested('a'), requested('b'), about('denied', 'b')])
      const [a, b] = [(await theApproval(suite, 'a')).position, (await theApproval(suite, 'b')).position]
      const ended = await suite.store.findEndedApprovals({ positions: [a, b, 9_999_999] })
      expect(ended.toSorted((one, other) => one - other)).toEqual([b, 9_999_999])
      expect(await suite.store.findEndedApprovals({ positions: [] })).toEqual([])
    })
  })
}

function decisions(suite: StoreSuite): void {
  describe('approvals: what the service says of them', () => {
    it('is said once, whoever says it again, and no producer after it', async () => {
      await suite.accept([requested('a')])
      const twenty = Array.from({ length: 20 }, (_, n) => decided(n % 2 === 0 ? 'approved' : 'expired', 'a'))
      const results = (await Promise.all(twenty.map((item) => suite.accept([item])))).flat()
      expect(kinds(results).filter((kind) => kind === 'accepted')).toHaveLength(1)
      expect(new Set(kinds(results))).toEqual(new Set(['accepted', 'approval_already_decided']))
      const { status, end, endedHere } = await theApproval(suite, 'a')
      expect([end?.type, endedHere]).toEqual([`agent.approval.${status}`, true])
      expect(kinds(await suite.accept([about('denied', 'a'), about('approved', 'a')]))).toEqual(
        Array(2).fill('approval_already_decided'),
      )
      const [run] = await suite.store.findRuns({ scope: LIVE, runId: 'run-1' })
      expect(run).toMatchObject({ lastSequence: 2, lifecycleWarnings: 0, approvals: { total: 1, open: 0 } })
    })

    it('is not said after a producer has, before a request, or in another run', async () => {
      await suite.accept([requested('a'), about('denied', 'a'), requested('b')])
      const late = [decided('approved', 'a'), decided('approved', 'c'), decided('approved', 'b', { runId: 'run-2' })]
      expect(kinds(await suite.accept(late))).toEqual(['approval_already_decided', 'state_conflict', 'state_conflict'])
      expect(await theApproval(suite, 'a')).toMatchObject({ status: 'denied', endedHere: false })
    })

    it('allows nothing in a run that has ended, and may still close what is open, without a flag', async () => {
      const ended = factItem('agent.run.failed', { status: 'failed' })
      await suite.accept([requested('a'), requested('b'), ended])
      const results = await suite.accept([decided('approved', 'a'), decided('denied', 'a'), decided('cancelled', 'a')])
      expect(kinds(results)).toEqual(['run_already_ended', 'run_already_ended', 'accepted'])
      expect(kinds(await suite.accept([decided('expired', 'b')]))).toEqual(['accepted'])
      const [run] = await suite.store.findRuns({ scope: LIVE, runId: 'run-1' })
      expect(run).toMatchObject({ status: 'failed', lifecycleWarnings: 1 })
      expect(await theApproval(suite, 'b')).toMatchObject({ status: 'expired', runHasEnded: true })
    })

    it('may go beyond the budget of its run, for its request was within', async () => {
      await suite.accept([requested('a')], { budget: 1 })
      expect(kinds(await suite.accept([about('denied', 'a')], { budget: 1 }))).toEqual(['run_event_budget_exceeded'])
      expect(kinds(await suite.accept([decided('denied', 'a')], { budget: 1 }))).toEqual(['accepted'])
    })

    it('is put on record with it, and not where it is refused or known', async () => {
      const entry = (action: AuditEntry['action']): AuditEntry => ({
        ...{ mode: 'live', tenantId: 'default', at: T0, actor: newId('apiKey'), target: 'a', requestId: null },
        ...{ action, detail: {} },
      })
      await suite.accept([requested('a')])
      const first = { ...decided('approved', 'a'), audit: [entry('approval.decided')] }
      await suite.accept([first])
      await suite.accept([first])
      await suite.accept([{ ...decided('denied', 'a'), audit: [entry('approval.decided')] }])
      const filter = { actor: null, actions: [], target: null, since: null, until: null }
      expect((await suite.store.listAudit({ scope: LIVE, filter, page: ONE_PAGE })).rows).toHaveLength(1)
    })
  })
}

function lists(suite: StoreSuite): void {
  describe('approvals: lists', () => {
    const list = (
      filter: Partial<ApprovalFilter> = {},
      more: Partial<Parameters<typeof suite.store.listApprovals>[0]> = {},
    ) => suite.store.listApprovals({ scope: LIVE, filter: { ...ANY, ...filter }, page: ONE_PAGE, ...more })

    it('are in the order of their first events, newest first, and page', async () => {
      for (const id of ['a', 'b', 'c', 'd', 'e']) await suite.accept([requested(id)])
      await suite.accept([about('denied', 'b')])
      expect(ids(await list())).toEqual(['e', 'd', 'c', 'b', 'a'])
      const first = await list({}, { page: { limit: 2, after: null } })
      const second = await list({}, { page: { limit: 2, after: first.next } })
      const last = await list({}, { page: { limit: 2, after: second.next } })
      expect([ids(first), ids(second), ids(last), last.next]).toEqual([['e', 'd'], ['c', 'b'], ['a'], null])
    })

    it.each([null, 'default'])('are of what the filter wants, with scope %s', async (tenantId) => {
      await suite.accept([requested('a'), requested('b', { runId: 'run-2' })])
      await suite.accept([requested('c'), about('approved', 'c'), about('expired', 'd')], { at: T0 + MINUTE })
      const more = { scope: { mode: 'live', tenantId } } as const
      const of = async (...statuses: ApprovalState[]) => ids(await list({ statuses }, more))
      expect(await of('pending')).toEqual(['b', 'a'])
      expect(await of('pending', 'expired')).toEqual(['d', 'b', 'a'])
      expect(await of('denied')).toEqual([])
      expect(ids(await list({ runId: 'run-2' }, more))).toEqual(['b'])
      expect(ids(await list({ runId: 'run-1', statuses: ['pending'] }, more))).toEqual(['a'])
      expect(ids(await list({ since: T0 + 1 }, more))).toEqual(['d', 'c'])
      expect(ids(await list({ until: T0 + MINUTE }, more))).toEqual(['b', 'a'])
    })

    it('show the scope’s tenant and mode alone, and an id of two runs or tenants twice', async () => {
      await suite.accept([
        requested('a', { tenantId: 'one' }),
        requested('a', { tenantId: 'two' }),
        requested('a', { tenantId: 'two', runId: 'other' }),
        requested('a', { tenantId: 'one', mode: 'test' }),
      ])
      expect(ids(await list())).toEqual(['a', 'a', 'a'])
      const find = (tenantId: string | null, runId: string | null = null) =>
        suite.store.findApprovals({ scope: { mode: 'live', tenantId }, approvalId: 'a', runId })
      expect(await find(null)).toHaveLength(2)
      expect(await find('two')).toHaveLength(2)
      expect((await find('two', 'other')).map(({ runId }) => runId)).toEqual(['other'])
      expect(await find('one')).toHaveLength(1)
      expect(await find('three')).toEqual([])
    })
  })
}

function overdue(suite: StoreSuite): void {
  describe('approvals: those nobody decided in time', () => {
    const find = async (now: number, limit = 10) => {
      const rows = await suite.store.findOverdueApprovals({ now, limit })
      return rows.map(({ approvalId }) => approvalId).toSorted()
    }

    it('are found where they are decided through Runbell, from their deadline on, while they are pending', async () => {
      await setDeciding(suite, true)
      const of = (decideBy: number | null): FactInput => ({ decideBy })
      await suite.accept([requested('a', of(T0 + 5)), requested('b', of(T0 + 9)), requested('c', of(null))])
      await suite.accept([
        requested('d', of(T0 + 5)),
        about('denied', 'd'),
        requested('e', { tenantId: 'x', decideBy: T0 + 5 }),
      ])
      expect(await find(T0 + 4)).toEqual([])
      expect(await find(T0 + 5)).toEqual(['a'])
      expect(await find(T0 + 9)).toEqual(['a', 'b'])
      expect(await find(T0 + 9, 1)).toHaveLength(1)
      await suite.accept([decided('expired', 'a')])
      expect(await find(T0 + 9)).toEqual(['b'])
    })

    it('are left alone where their time was over before that, and after it was taken back', async () => {
      await suite.accept([requested('a', { decideBy: T0 + 5 }), requested('b', { decideBy: T0 + MINUTE })])
      await setDeciding(suite, true, { now: T0 + 10 })
      const { tenant } = await setDeciding(suite, true, { now: T0 + 20 })
      expect(tenant.decidesSince).toBe(T0 + 10)
      expect(await find(T0 + MINUTE)).toEqual(['b'])
      expect((await theApproval(suite, 'b')).decidesSince).toBe(T0 + 10)
      await setDeciding(suite, false, { now: T0 + 30 })
      expect(await find(T0 + MINUTE)).toEqual([])
      expect((await setDeciding(suite, true, { now: T0 + 40 })).tenant.decidesSince).toBe(T0 + 40)
    })
  })
}
