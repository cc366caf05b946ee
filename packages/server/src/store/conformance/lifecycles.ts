import { describe, expect, it } from 'vitest'
import type { AcceptItem, AcceptResult } from '../accept.ts'
import { ALL_DELIVERIES, ALL_EVENTS, factItem, T0, target } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function lifecycleTests(suite: StoreSuite): void {
  flagged(suite)
  refused(suite)
  children(suite)
  apart(suite)
  kept(suite)
}

const run = (what: string, input: Parameters<typeof factItem>[1] = {}) => factItem(`agent.run.${what}`, input)
const approval = (what: string, input: Parameters<typeof factItem>[1] = {}) =>
  factItem(`agent.approval.${what}`, { child: { kind: 'approval', id: 'apr-1' }, ...input })
const toolCall = (what: string, input: Parameters<typeof factItem>[1] = {}) =>
  factItem(`agent.tool_call.${what}`, { child: { kind: 'tool_call', id: 'call-1' }, ...input })

/** The sentences of each result's lifecycle warnings, or why it was refused. */
async function follow(suite: StoreSuite, items: AcceptItem[]): Promise<(string[] | string)[]> {
  return (await suite.accept(items)).map(said)
}

function said(result: AcceptResult): string[] | string {
  if (result.kind === 'refused') return result.code
  if (result.kind !== 'accepted') return result.kind
  for (const { code, path } of result.warnings) expect({ code, path }).toEqual({ code: 'lifecycle', path: '/type' })
  return result.warnings.map(({ message }) => message)
}

function flagged(suite: StoreSuite): void {
  describe('lifecycles: what breaks the order is taken and flagged', () => {
    it('and what keeps it is not, over batches and within one', async () => {
      expect(await follow(suite, [run('queued')])).toEqual([[]])
      expect(await follow(suite, [run('started'), run('waiting'), run('resumed')])).toEqual([[], [], []])
      expect(await follow(suite, [run('started')])).toEqual([['agent.run.started came a second time']])
      const late = 'agent.run.resumed came while the run was running'
      expect(await follow(suite, [run('resumed'), run('completed')])).toEqual([[late], []])
      const after = 'agent.run.waiting came after the run had ended with agent.run.completed'
      expect(await follow(suite, [run('waiting')])).toEqual([[after]])
    })

    it('and says so in the answer that a duplicate gets', async () => {
      const item = run('completed')
      const [first] = await suite.accept([item])
      const [again] = await suite.accept([item], { at: T0 + 99 })
      if (first?.kind !== 'accepted' || again?.kind !== 'duplicate') throw new Error('not taken once')
      expect(first.warnings).toHaveLength(1)
      expect(again.warnings).toEqual(first.warnings)
    })

    it('and does not take a duplicate for a second event', async () => {
      const started = run('started')
      expect(await follow(suite, [started, started, run('completed')])).toEqual([[], 'duplicate', []])
    })

    it('with events without lifecycle rules beside them', async () => {
      const other = factItem('acme.note.taken')
      other.lifecycle = null
      expect(
        await follow(suite, [run('started'), other, run('completed'), { ...other, eventId: 'evt_after0001' }]),
      ).toEqual([[], [], [], []])
    })
  })
}

function refused(suite: StoreSuite): void {
  describe('lifecycles: a second end', () => {
    it('is refused with the reason, leaves nothing behind, and harms nothing else of its batch', async () => {
      const { id: endpointId } = await suite.endpoint()
      const twice = run('failed', { targets: [target(endpointId, true)], idempotencyKey: 'order-1' })
      const batch = [run('started'), run('completed'), twice, run('waiting', { targets: [target(endpointId)] })]
      const results = await suite.accept(batch)
      expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'refused', 'accepted'])
      const message = 'the run has ended with agent.run.completed'
      expect(results[2]).toEqual({ kind: 'refused', code: 'run_already_ended', message })
      // It used up no sequence.
      expect(results[3]).toMatchObject({ sequence: 3 })
      const events = (await suite.store.listEvents(ALL_EVENTS)).rows
      expect(events.map(({ eventId }) => eventId)).not.toContain(twice.eventId)
      expect(events).toHaveLength(3)
      const deliveries = (await suite.store.listDeliveries(ALL_DELIVERIES)).rows
      expect(deliveries.map(({ eventId }) => eventId)).toEqual([batch[3]?.eventId])
      // Neither its id nor its key is taken.
      const other = run('started', { runId: 'run-2', eventId: twice.eventId, idempotencyKey: 'order-1' })
      expect(await follow(suite, [other])).toEqual([[]])
    })

    it('of the same type is refused too, and the first one stays a duplicate', async () => {
      const first = run('completed')
      await suite.accept([run('started'), first])
      expect(await follow(suite, [run('completed'), first])).toEqual(['run_already_ended', 'duplicate'])
    })

    it('is refused after it was stale: the config version is looked at before the lifecycle', async () => {
      const configVersion = await suite.configVersion()
      await suite.accept([run('started'), run('completed')])
      await suite.endpoint()
      const batch = {
        nodeId: 'node-a',
        recordedAt: T0,
        runEventBudget: 1000,
        items: [{ ...run('failed'), configVersion }],
      }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
    })
  })

  describe('lifecycles: strict types', () => {
    it('are refused for any breach, which then never happened', async () => {
      const early = run('waiting', { strict: true })
      expect(await follow(suite, [early, run('started'), early, run('resumed')])).toEqual([
        'state_conflict',
        [],
        [],
        [],
      ])
    })

    it('make no run of one whose first event is refused', async () => {
      const results = await suite.accept([run('resumed', { strict: true }), run('started')])
      expect(results).toMatchObject([{ kind: 'refused' }, { kind: 'accepted', sequence: 1, warnings: [] }])
    })
  })
}

function children(suite: StoreSuite): void {
  describe('lifecycles: approvals and tool calls', () => {
    it('are decided once; a second decision is flagged', async () => {
      await suite.accept([run('started')])
      expect(await follow(suite, [approval('requested'), approval('approved')])).toEqual([[], []])
      const late = 'agent.approval.denied came after the approval had been decided'
      expect(await follow(suite, [approval('denied')])).toEqual([[late]])
    })

    it('refuse a second decision where the type is strict, and keep the first', async () => {
      await suite.accept([run('started'), approval('requested')])
      const strict = { strict: true }
      expect(await follow(suite, [approval('denied', strict), approval('approved', strict)])).toEqual([
        [],
        'approval_already_decided',
      ])
      expect(await follow(suite, [approval('expired')])).toMatchObject([[expect.stringContaining('had been decided')]])
    })

    it('are told apart by kind and id', async () => {
      const other = { child: { kind: 'approval', id: 'apr-2' } } as const
      const same = { child: { kind: 'tool_call', id: 'apr-1' } } as const
      const items = [run('started'), approval('requested'), approval('approved'), approval('requested', other)]
      expect(await follow(suite, [...items, approval('denied', other), toolCall('started', same)])).toEqual(
        Array.from({ length: 6 }, () => []),
      )
    })

    it('flag a decision that nobody asked for, a second request, and a denial after the start', async () => {
      await suite.accept([run('started')])
      const items = [approval('approved'), toolCall('started'), toolCall('started'), toolCall('denied')]
      expect(await follow(suite, items)).toEqual([
        ['agent.approval.approved came before the approval was requested'],
        [],
        ['agent.tool_call.started came a second time for the same tool call'],
        ['agent.tool_call.denied came after the tool call had started'],
      ])
    })

    it('leave nothing of a refused event: what it was about stays as it was', async () => {
      const early = approval('approved', { strict: true })
      const expected = ['state_conflict', [], []]
      expect(await follow(suite, [early, approval('requested'), approval('approved')])).toEqual(expected)
    })
  })
}

function apart(suite: StoreSuite): void {
  describe('lifecycles: do not mix', () => {
    it('between runs, tenants and modes', async () => {
      await suite.accept([run('started'), toolCall('completed'), run('completed')])
      const elsewhere = [{ runId: 'run-2' }, { tenantId: 'other' }, { mode: 'test' }] as const
      for (const input of elsewhere) {
        const items = [run('started', input), toolCall('completed', input), run('failed', input)]
        expect(await follow(suite, items)).toEqual([[], [], []])
      }
      expect(await follow(suite, [run('failed')])).toEqual(['run_already_ended'])
    })

    it('when they end at the same time: one is taken, whoever it is', async () => {
      await suite.accept([run('started')])
      const ends = ['completed', 'failed', 'cancelled', 'partially_completed'].map((what) => suite.accept([run(what)]))
      const kinds = (await Promise.all(ends)).flat().map(({ kind }) => kind)
      expect(kinds.toSorted()).toEqual(['accepted', 'refused', 'refused', 'refused'])
    })
  })
}

function kept(suite: StoreSuite): void {
  describe('lifecycles: opened again', () => {
    it('remember runs, approvals and tool calls', async (context) => {
      if (suite.harness?.reopen === undefined) return context.skip('this store keeps nothing after it is closed')
      const other = { runId: 'run-2' }
      await suite.accept([run('started'), approval('requested'), toolCall('started'), run('waiting')])
      await suite.accept([run('started', other), approval('requested', other), approval('denied', other)])
      await suite.accept([run('completed', other)])
      await suite.reopen()
      expect(await follow(suite, [run('failed', other), approval('approved', { ...other, strict: true })])).toEqual([
        'run_already_ended',
        'run_already_ended',
      ])
      expect(await follow(suite, [run('started'), approval('requested'), toolCall('started')])).toEqual([
        ['agent.run.started came a second time'],
        ['agent.approval.requested came a second time for the same approval'],
        ['agent.tool_call.started came a second time for the same tool call'],
      ])
    })
  })
}
