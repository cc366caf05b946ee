import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { testCatalog } from '../../test/catalog.ts'
import { FakeClock, fakeRandom } from '../../test/fake-clock.ts'
import { createAcceptor } from '../accept/acceptor.ts'
import { ALL_EVENTS, factItem, LIVE, T0, text } from '../store/conformance/builders.ts'
import { MemoryStore } from '../store/memory/memory-store.ts'
import type { StoreHooks } from '../store/memory/state.ts'
import { ApprovalExpiry } from './approval-expiry.ts'

const NODE = 'node-a'
const NO_SLOTS = { reserve: () => false, release() {}, start() {}, reconcile() {}, wake() {} }
const CATALOG = testCatalog()

let clock: FakeClock
let hooks: StoreHooks
let store: MemoryStore
let refusals: string[]
beforeEach(async () => {
  clock = new FakeClock(T0)
  hooks = {}
  store = new MemoryStore({ clock: () => 0, hooks })
  refusals = []
  await store.joinNode({ nodeId: NODE, leaseMs: 60_000 })
  const limits = { eventsPerSecond: null, maxPending: null }
  await store.putTenant({
    ...{ mode: 'live', tenantId: 'default', maxDataClasses: null, limits, decidesApprovals: true, now: T0 },
  })
})

/** Another node, or another life of this one. */
function expiry(): ApprovalExpiry {
  return new ApprovalExpiry({
    store,
    acceptor: createAcceptor({ store, clock, random: fakeRandom(), nodeId: NODE, slots: NO_SLOTS }),
    clock,
    catalog: () => CATALOG,
    publicUrl: () => 'https://runbell.test',
    fingerprint: (bytes) => createHash('sha256').update(bytes).digest(),
    onRefused: (_approval, detail) => void refusals.push(detail),
  })
}

async function request(id: string, decideBy: number, more: Record<string, unknown> = {}): Promise<void> {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const data = JSON.stringify({ approval_id: id, status: 'pending', tool_call_id: 'call-1', ...more })
  const input = { child: { kind: 'approval', id }, decideBy, data, configVersion } as const
  const items = [factItem('agent.approval.requested', input)]
  const [result] = await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
  expect(result?.kind).toBe('accepted')
}

/** Rounds at the same time, in which as much time passes as they take. */
async function round(...nodes: ApprovalExpiry[]): Promise<number> {
  const state = { running: true }
  const rounds = Promise.all(nodes.map((node) => node.runOnce())).finally(() => (state.running = false))
  rounds.catch(() => {})
  while (state.running) await clock.advance(5)
  return (await rounds).reduce((sum, { expired }) => sum + expired, 0)
}

async function told(): Promise<{ event_id: string; data: Record<string, unknown> }[]> {
  const filter = { ...ALL_EVENTS.filter, types: ['agent.approval.expired'] }
  const { rows } = await store.listEvents({ ...ALL_EVENTS, filter })
  return rows.map(({ body }) => JSON.parse(text(body) ?? ''))
}

describe('an approval that nobody decides in time', () => {
  it('ends at its deadline, said once, with what follows from it', async () => {
    await request('a', T0 + 60_000, { on_expiry: 'cancel_run' })
    expect(await round(expiry())).toBe(0)
    await clock.advance(60_000)
    expect(await round(expiry())).toBe(1)
    expect(await told()).toEqual([
      expect.objectContaining({
        ...{ type: 'agent.approval.expired', run_id: 'run-1', sequence: 2, tenant_id: 'default' },
        ...{ timestamp: new Date(T0 + 60_000).toISOString(), agent: { id: 'support-agent', name: 'Zoë' } },
        data: {
          ...{ approval_id: 'a', status: 'expired', tool_call_id: 'call-1', consequence: 'cancel_run' },
          expired_at: new Date(T0 + 60_000).toISOString(),
        },
      }),
    ])
    expect(await round(expiry())).toBe(0)
  })

  it('is denied where its request does not say what follows', async () => {
    await request('a', T0 + 1)
    await clock.advance(1)
    await round(expiry())
    expect((await told())[0]?.data).toMatchObject({ consequence: 'deny' })
  })

  it('is ended by one of several nodes', async () => {
    for (let id = 0; id < 30; id++) await request(`a${id}`, T0 + 1)
    await clock.advance(1)
    expect(await round(expiry(), expiry(), expiry())).toBe(30)
    const events = await told()
    expect(new Set(events.map(({ data }) => data['approval_id'])).size).toBe(30)
    expect(events).toHaveLength(30)
  })

  it('is ended once, too, where the answer to the commit got lost', async () => {
    await request('a', T0 + 1)
    await clock.advance(1)
    let lost = 0
    hooks.after = (verb) => {
      if (verb === 'acceptEvents' && lost++ === 0) throw new Error('lost')
    }
    await expect(round(expiry())).rejects.toThrow('lost')
    expect(await round(expiry())).toBe(0)
    expect(await told()).toHaveLength(1)
  })

  it('is ended however many there are', async () => {
    for (let id = 0; id < 230; id++) await request(`a${id}`, T0 + 1)
    await clock.advance(1)
    expect(await round(expiry())).toBe(230)
  })

  it('whose end cannot be told does not keep the others from theirs', async () => {
    for (let id = 0; id < 110; id++) await request(`no id of an approval ${id}`, T0 + 1)
    await request('a', T0 + 2)
    await clock.advance(5)
    const node = expiry()
    for (let times = 0; times < 3; times++) await round(node)
    expect((await told()).map(({ data }) => data['approval_id'])).toEqual(['a'])
    expect(refusals).toHaveLength(110)
    const filter = { statuses: [], runId: null, since: null, until: null }
    const { rows } = await store.listApprovals({ scope: LIVE, filter, page: { limit: 1, after: null } })
    expect(rows[0]).toMatchObject({ approvalId: 'a', status: 'expired', endedHere: true })
  })
})
