import type { RunDetailView, RunView, TimelineView } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let key: string
beforeEach(async () => {
  test = await createTestApi()
  key = await test.addKey({ scopes: ['read', 'publish'] })
})

let count = 0

async function publish(type: string, data: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const event_id = `evt_test_runs${String(++count).padStart(6, '0')}`
  const event = { event_id, type: `agent.${type}`, run_id: 'run-1', agent: { id: 'refunds' }, data, ...more }
  const answer = await test.post('/v1/events', { body: event })
  if (answer.status !== 202) throw new Error(answer.text)
  return event_id
}

const TOOL = { name: 'issue_refund' }
const ERROR = { code: 'tool_error', message: 'The card was declined.', retryable: false }

async function story(): Promise<{ failed: string; waiting: string }> {
  await publish('run.started', { status: 'running' })
  await publish('tool_call.started', { status: 'running', tool_call_id: 'call-1', tool: TOOL, input: { card: '4242' } })
  const failed = await publish('tool_call.failed', {
    status: 'failed',
    tool_call_id: 'call-1',
    tool: TOOL,
    error: ERROR,
  })
  const waiting = await publish('run.waiting', { status: 'waiting', waiting_for: 'authentication' })
  return { failed, waiting }
}

const get = async <Body>(path: string, options = { key }): Promise<Body> => {
  const answer = await test.get(path, options)
  expect([path, answer.status]).toEqual([path, 200])
  return answer.json as Body
}

describe('GET /v1/runs/{run_id}', () => {
  it('says where a run is, what it waits for and what went wrong last', async () => {
    await story()
    const run = await get<RunDetailView>('/v1/runs/run-1')
    expect(run).toMatchObject({
      ...{ run_id: 'run-1', tenant_id: 'default', mode: 'test', agent_id: 'refunds', status: 'waiting' },
      ...{ event_count: 4, lifecycle_warnings: 0, ended_at: null, waiting_for: 'authentication' },
      ...{ tool_calls: { total: 1, open: 0 }, approvals: { total: 0, open: 0 }, delivery_health: 'ok' },
    })
    expect(run.last_error).toMatchObject({ type: 'agent.tool_call.failed', error: { code: 'tool_error' } })
  })

  it('waits for nothing once it goes on, and keeps its latest error', async () => {
    await story()
    await publish('run.resumed', { status: 'running', resumed_after: 'authentication' })
    await publish('run.completed', { status: 'completed' })
    const run = await get<RunDetailView>('/v1/runs/run-1')
    expect(run).toMatchObject({
      status: 'completed',
      waiting_for: null,
      last_error: { error: { code: 'tool_error' } },
    })
    expect(run.ended_at).not.toBeNull()
  })

  it('puts on record that somebody looked at an error, and at what it waits for', async () => {
    const { failed, waiting } = await story()
    await get('/v1/runs/run-1')
    const { sealAll } = await import('../../audit/seal.ts')
    await sealAll(test.store, test.context.views)
    const { data } = await get<{ data: { action: string; target: string }[] }>('/v1/audit-log', { key: test.key })
    expect(data.map(({ action }) => action)).toEqual(['payload.viewed', 'payload.viewed'])
    expect(new Set(data.map(({ target }) => target))).toEqual(new Set([failed, waiting]))
  })

  it.each(['/v1/runs/none', '/v1/runs/%20', '/v1/runs/none/timeline'])('%s is 404', async (path) => {
    expect((await test.get(path, { key })).json).toMatchObject({ status: 404, code: 'not_found' })
  })

  it('takes ids with every character a producer may use', async () => {
    const run_id = 'a:b/c@d=e+f-g.h_1'
    await publish('run.started', { status: 'running' }, { run_id })
    expect((await get<RunView>(`/v1/runs/${encodeURIComponent(run_id)}`)).run_id).toBe(run_id)
    const timeline = await get<TimelineView>(`/v1/runs/${encodeURIComponent(run_id)}/timeline`)
    expect(timeline.run.run_id).toBe(run_id)
  })

  it('of two tenants is ambiguous until one is named', async () => {
    for (const tenant_id of ['one', 'two']) await publish('run.started', { status: 'running' }, { tenant_id })
    for (const path of ['/v1/runs/run-1', '/v1/runs/run-1/timeline']) {
      expect((await test.get(path, { key })).json).toMatchObject({ status: 409, code: 'ambiguous_id' })
      expect((await test.get(`${path}?tenant_id=two`, { key })).status).toBe(200)
    }
  })
})

describe('GET /v1/runs', () => {
  it('lists, filters and pages', async () => {
    for (const run_id of ['a', 'b', 'c'])
      await publish('run.started', { status: 'running' }, { run_id, task_id: `t-${run_id}` })
    await publish('run.started', { status: 'running', parent_run_id: 'a' }, { run_id: 'd', agent: { id: 'helper' } })
    await publish('run.completed', { status: 'completed' }, { run_id: 'b' })
    const list = async (query = '') =>
      (await get<{ data: RunView[] }>(`/v1/runs${query}`)).data.map(({ run_id }) => run_id)
    expect(await list()).toEqual(['d', 'c', 'b', 'a'])
    expect(await list('?status=completed')).toEqual(['b'])
    expect(await list(`?agent_id=${'x'.repeat(255)}`)).toEqual([])
    expect(await list('?status=completed&status=running&agent_id=refunds')).toEqual(['c', 'b', 'a'])
    expect(await list('?parent_run_id=a')).toEqual(['d'])
    expect(await list('?task_id=t-c')).toEqual(['c'])
    const page = await get<{ data: RunView[]; next_cursor: string }>('/v1/runs?limit=3')
    expect(await list(`?limit=3&cursor=${page.next_cursor}`)).toEqual(['a'])
    const stolen = await test.get(`/v1/runs?limit=3&status=running&cursor=${page.next_cursor}`, { key })
    expect(stolen.json.code).toBe('cursor_invalid')
    expect((await test.get('/v1/runs?status=done', { key })).status).toBe(422)
  })
})

describe('GET /v1/runs/{run_id}/timeline', () => {
  it('has a row for each thing, with its events and how these were delivered', async () => {
    await test.addEndpoint({ event_types: ['agent.tool_call.*'] })
    await story()
    await publish('run.started', { status: 'running', parent_run_id: 'run-1' }, { run_id: 'run-2' })
    const { rows, gaps, next_cursor, run } = await get<TimelineView>('/v1/runs/run-1/timeline')
    expect(rows.map(({ kind, id, title, status, missing }) => [kind, id, title, status, missing])).toEqual([
      ['run', 'run-1', 'run', 'waiting', null],
      ['tool_call', 'call-1', 'issue_refund', 'failed', null],
      ['child_run', 'run-2', 'refunds', 'running', null],
    ])
    expect(rows[1]?.events.map(({ type, sequence, deliveries }) => [type, sequence, deliveries.total])).toEqual([
      ['agent.tool_call.started', 2, 1],
      ['agent.tool_call.failed', 3, 1],
    ])
    expect([gaps, next_cursor, run.delivery_health]).toEqual([[], null, 'pending'])
  })

  it('shows nothing of a payload beyond ids, states and names', async () => {
    await story()
    const all = await test.get('/v1/runs/run-1/timeline')
    expect(all.text).not.toContain('4242')
  })

  it('comes in pieces', async () => {
    await story()
    const first = await get<TimelineView>('/v1/runs/run-1/timeline?limit=3')
    expect(first.rows.flatMap(({ events }) => events)).toHaveLength(3)
    const second = await get<TimelineView>(`/v1/runs/run-1/timeline?limit=3&cursor=${first.next_cursor}`)
    expect(second.rows.flatMap(({ events }) => events).map(({ sequence }) => sequence)).toEqual([4])
    expect(second.next_cursor).toBeNull()
  })

  it('names what has no end once the run has one, and goes on without payloads', async () => {
    await story()
    const id = await publish('tool_call.started', { status: 'running', tool_call_id: 'call-2', tool: TOOL })
    await publish('run.cancelled', { status: 'cancelled' })
    const open = await get<TimelineView>('/v1/runs/run-1/timeline')
    expect(open.rows.find((row) => row.id === 'call-2')).toMatchObject({ missing: 'end', ended_at: null })
    expect((await test.post(`/v1/events/${id}/erase`)).status).toBeLessThan(300)
    const erased = await get<TimelineView>('/v1/runs/run-1/timeline')
    expect(erased.rows.find((row) => row.id === id)).toMatchObject({ kind: 'event', title: 'agent.tool_call.started' })
  })
})
