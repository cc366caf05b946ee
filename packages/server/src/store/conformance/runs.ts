import { describe, expect, it } from 'vitest'
import type { Claim, CursorPage } from '../rows.ts'
import type { RunDetail, RunFilter, RunRow } from '../runs.ts'
import { attemptRecord, factItem, LIVE, MINUTE, ONE_PAGE, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function runTests(suite: StoreSuite): void {
  progress(suite)
  lists(suite)
  details(suite)
  eventsOfRuns(suite)
}

type FactInput = Parameters<typeof factItem>[1]

const fact = (name: string, runId: string, status: string | null = null, input: FactInput = {}) =>
  factItem(`agent.${name}`, { runId, status, ...input })
const started = (runId: string, input: FactInput = {}) => fact('run.started', runId, 'running', input)

const ANY_RUN: RunFilter = {
  ...{ statuses: [], agentId: null, taskId: null, parentRunId: null, since: null, until: null },
}

async function theRun(suite: StoreSuite, runId: string): Promise<RunDetail> {
  const runs = await suite.store.findRuns({ scope: LIVE, runId })
  expect(runs).toHaveLength(1)
  return runs[0] as RunDetail
}

const ids = ({ rows }: CursorPage<RunRow>) => rows.map(({ runId }) => runId)

function progress(suite: StoreSuite): void {
  describe('runs: what they have come to', () => {
    it('is kept as their events are accepted', async () => {
      const about = { agent: { id: 'refunds' }, parentRunId: 'run-0' }
      await suite.accept([started('run-1', about), fact('tool_call.failed', 'run-1', 'failed')])
      await suite.accept([fact('run.waiting', 'run-1', 'waiting', { taskId: 'task-1' })], { at: T0 + MINUTE })
      expect(await theRun(suite, 'run-1')).toMatchObject({
        ...{ mode: 'live', tenantId: 'default', runId: 'run-1', agentId: 'refunds', taskId: 'task-1' },
        ...{ parentRunId: 'run-0', status: 'waiting', lastSequence: 3, lifecycleWarnings: 0 },
        ...{ createdAt: T0, updatedAt: T0 + MINUTE, endedAt: null },
      })
      await suite.accept([fact('run.resumed', 'run-1', 'running'), fact('run.failed', 'run-1', 'timed_out')], {
        at: T0 + 2 * MINUTE,
      })
      await suite.accept([fact('run.waiting', 'run-1', 'waiting')], { at: T0 + 3 * MINUTE })
      expect(await theRun(suite, 'run-1')).toMatchObject({
        ...{ status: 'timed_out', endedAt: T0 + 2 * MINUTE, updatedAt: T0 + 3 * MINUTE },
        ...{ lastSequence: 6, lifecycleWarnings: 1, taskId: 'task-1' },
      })
    })

    it('counts no duplicate and nothing that was refused', async () => {
      const first = started('run-1')
      await suite.accept([first, first, fact('run.completed', 'run-1', 'completed')])
      await suite.accept([first, fact('run.cancelled', 'run-1', 'cancelled')], { at: T0 + MINUTE })
      expect(await theRun(suite, 'run-1')).toMatchObject({ status: 'completed', lastSequence: 2, updatedAt: T0 })
    })

    it('has no status before an event about the run itself', async () => {
      await suite.accept([fact('message.sent', 'run-1', 'sent')])
      expect(await theRun(suite, 'run-1')).toMatchObject({ status: null, statusEvent: null, failureEvent: null })
    })
  })
}

function lists(suite: StoreSuite): void {
  describe('runs: lists', () => {
    const list = (filter: Partial<RunFilter> = {}, more: Partial<Parameters<typeof suite.store.listRuns>[0]> = {}) =>
      suite.store.listRuns({ scope: LIVE, filter: { ...ANY_RUN, ...filter }, page: ONE_PAGE, ...more })

    it('are in the order in which runs began, newest first, and page', async () => {
      await suite.accept(['a', 'b', 'c', 'd', 'e'].map((runId) => started(runId)))
      await suite.accept([fact('run.completed', 'b', 'completed')])
      expect(ids(await list())).toEqual(['e', 'd', 'c', 'b', 'a'])
      const first = await list({}, { page: { limit: 2, after: null } })
      expect(ids(first)).toEqual(['e', 'd'])
      const second = await list({}, { page: { limit: 2, after: first.next } })
      const last = await list({}, { page: { limit: 2, after: second.next } })
      expect([ids(second), ids(last), last.next]).toEqual([['c', 'b'], ['a'], null])
    })

    it('are of what the filter wants', async () => {
      await suite.accept([started('a', { taskId: 't' }), started('b', { parentRunId: 'a', agent: { id: 'helper' } })])
      await suite.accept([started('c', { taskId: 't' }), fact('run.failed', 'c', 'rejected')], { at: T0 + MINUTE })
      await suite.accept([fact('message.sent', 'd')], { at: T0 + MINUTE })
      expect(ids(await list({ statuses: ['running'] }))).toEqual(['b', 'a'])
      expect(ids(await list({ statuses: ['rejected', 'completed'] }))).toEqual(['c'])
      expect(ids(await list({ taskId: 't' }))).toEqual(['c', 'a'])
      expect(ids(await list({ parentRunId: 'a' }))).toEqual(['b'])
      expect(ids(await list({ agentId: 'helper' }))).toEqual(['b'])
      expect(ids(await list({ since: T0 + 1 }))).toEqual(['d', 'c'])
      expect(ids(await list({ until: T0 + MINUTE }))).toEqual(['b', 'a'])
      expect(ids(await list({ taskId: 't', statuses: ['running'] }))).toEqual(['a'])
      expect(ids(await list({ taskId: 'none' }))).toEqual([])
    })

    it('show the scope’s tenant and mode alone, and a run of two tenants twice', async () => {
      const of = (tenantId: string, mode: 'live' | 'test' = 'live'): FactInput => ({ tenantId, mode })
      await suite.accept([started('r', of('one')), started('r', of('two')), started('r', of('one', 'test'))])
      expect(ids(await list())).toEqual(['r', 'r'])
      const scope = { mode: 'live', tenantId: 'two' } as const
      expect((await list({}, { scope })).rows.map(({ tenantId }) => tenantId)).toEqual(['two'])
      expect(await suite.store.findRuns({ scope: LIVE, runId: 'r' })).toHaveLength(2)
      expect(await suite.store.findRuns({ scope, runId: 'r' })).toHaveLength(1)
      expect(await suite.store.findRuns({ scope: { mode: 'test', tenantId: 'two' }, runId: 'r' })).toEqual([])
    })
  })
}

function details(suite: StoreSuite): void {
  describe('runs: details', () => {
    it('count tool calls and approvals, and those that have not ended', async () => {
      const call = (name: string, id: string) =>
        fact(`tool_call.${name}`, 'r', null, { child: { kind: 'tool_call', id } })
      const approval = (name: string, id: string) =>
        fact(`approval.${name}`, 'r', null, { child: { kind: 'approval', id } })
      await suite.accept([call('started', '1'), call('started', '2'), call('completed', '1'), call('denied', '3')])
      await suite.accept([approval('requested', '1')])
      expect(await theRun(suite, 'r')).toMatchObject({
        toolCalls: { total: 3, open: 1 },
        approvals: { total: 1, open: 1 },
      })
    })

    it('say how its deliveries are, and of no other run’s', async () => {
      const { id } = await suite.endpoint()
      await suite.accept(['r', 'r', 'other'].map((runId) => started(runId, { targets: [target(id)] })))
      const claim = (await suite.claim(FIRST_NODE, id, { limit: 1 }))[0] as Claim
      await suite.record(FIRST_NODE, attemptRecord(claim))
      const counts = { total: 2, delivered: 1, pending: 1, dead_lettered: 0, cancelled: 0, expired: 0 }
      expect((await theRun(suite, 'r')).deliveries).toEqual(counts)
    })

    it('have the event of the status and that of the latest failure', async () => {
      await suite.accept([started('r'), fact('tool_call.failed', 'r', 'failed'), fact('run.retrying', 'r', 'retrying')])
      await suite.accept([fact('tool_call.failed', 'r', 'timed_out')])
      const { statusEvent, failureEvent } = await theRun(suite, 'r')
      expect([statusEvent?.sequence, statusEvent?.type]).toEqual([3, 'agent.run.retrying'])
      expect([failureEvent?.sequence, failureEvent?.type]).toEqual([4, 'agent.tool_call.failed'])
    })
  })
}

function eventsOfRuns(suite: StoreSuite): void {
  describe('runs: their events', () => {
    it('come in the order of their sequence, a piece at a time, and no other run’s', async () => {
      for (const runId of ['r', 'other', 'r', 'r']) await suite.accept([fact('message.sent', runId)])
      const { position: run } = await theRun(suite, 'r')
      const all = await suite.store.listRunEvents({ run, after: 0, limit: 10 })
      expect(all.map(({ runId, sequence }) => [runId, sequence])).toEqual([
        ['r', 1],
        ['r', 2],
        ['r', 3],
      ])
      const piece = await suite.store.listRunEvents({ run, after: 1, limit: 1 })
      expect(piece.map(({ sequence }) => sequence)).toEqual([2])
      expect(await suite.store.listRunEvents({ run, after: 3, limit: 1 })).toEqual([])
    })
  })
}
