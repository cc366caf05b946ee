import { Runbell } from '@runbell/sdk'
import type { ApiKeyView, ApprovalView, DeliveryView, EventView, Page, RunDetailView } from '@runbell/sdk/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  attemptsOf,
  createEndpoint,
  deliveryOf,
  eventOf,
  get,
  newEventId,
  post,
  publish,
  request,
} from '../support/client.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import type { Received } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const INPUT = { order_id: '7781', amount: '84.00' }
const APPROVER = { type: 'user', id: 'usr_1' }

describe('Approvals: decided once, through Runbell where a tenant has asked for it, and never after their time', () => {
  const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '1s,30s' })

  beforeAll(async () => {
    await post(server, '/v1/tenants', { id: 'default', decide_approvals: true })
  })

  /** A producer that finds the server wherever it is started again. */
  function producer(bindingKeys = 'a secret of at least 24 bytes'): Runbell {
    return new Runbell({
      url: 'http://runbell.invalid',
      key: ADMIN_KEY,
      bindingKeys,
      fetch: (url, init) => fetch(url.replace('http://runbell.invalid', server.url), init),
    })
  }

  const ask = (runbell: Runbell, id: string, more: { expires_at?: string; input?: unknown } = {}) =>
    runbell.approvals.request({
      ...{
        run_id: `run-${id}`,
        approval_id: id,
        agent: { id: 'refunds' },
        tool: 'issue_refund',
        tool_call_id: 'call-1',
      },
      ...{ summary: 'Refund 84.00 EUR.', summary_source: 'template', input: INPUT, ...more },
    })
  const decide = (id: string, decision: string, more: Record<string, unknown> = {}) =>
    request<{ code?: string; event_id: string }>(server, 'POST', `/v1/approvals/${id}/decision`, {
      body: { decision, decided_by: APPROVER, ...more },
    })
  const show = (id: string) => get<ApprovalView>(server, `/v1/approvals/${id}`)

  test('a producer waits, somebody decides on what was asked, and subscribers are told', async () => {
    const receiver = await server.receiver(() => 204)
    await createEndpoint(server, receiver.url, 'agent.approval.*', { data_classes: ['message', 'personal'] })
    const runbell = producer()
    const approval = ask(runbell, 'apr-told')
    expect(await approval.published).not.toBeNull()
    const waited = approval.wait()
    const asking = (await show('apr-told')).request as { data: { input_binding: string } }
    const { input_binding } = asking.data
    expect(input_binding).toBe(approval.input_binding)
    const decided = await decide('apr-told', 'approve', { input_binding, reason: 'It is fine.' })
    expect(decided.status).toBe(200)
    expect(await waited).toMatchObject({ status: 'approved', approved: true, decided_by: APPROVER, input_binding })
    await receiver.until((received) => received.length === 2)
    const [asked, told] = receiver.received.map(({ body }) => JSON.parse(body.toString()))
    expect([asked.type, asked.sequence]).toEqual(['agent.approval.requested', 1])
    expect(told).toMatchObject({
      ...{ type: 'agent.approval.approved', event_id: decided.json.event_id, sequence: 2, agent: { id: 'refunds' } },
      data: { approval_id: 'apr-told', input_binding, reason: 'It is fine.', decided_by: APPROVER },
    })
    await until(
      'the event is delivered',
      () => deliveryOf(server, told.event_id),
      ({ status }) => status === 'delivered',
    )
  })

  test('whoever would run something else than was approved is refused by the SDK', async () => {
    const runbell = producer()
    await ask(runbell, 'apr-bound').published
    await decide('apr-bound', 'approve')
    const bound = { tool_call_id: 'call-1', tool: 'issue_refund' }
    expect(await runbell.approvals.wait('apr-bound', { bound: { ...bound, input: INPUT } })).toMatchObject({
      approved: true,
    })
    const other = runbell.approvals.wait('apr-bound', { bound: { ...bound, input: { ...INPUT, amount: '840.00' } } })
    await expect(other).rejects.toMatchObject({ code: 'input_binding_mismatch' })
    const foreign = producer('another secret of enough bytes').approvals.wait('apr-bound', {
      bound: { ...bound, input: INPUT },
    })
    await expect(foreign).rejects.toMatchObject({ code: 'input_binding_mismatch' })
  })

  test('of twenty decisions at once one is made, and no producer makes another one after it', async () => {
    const approval = ask(producer(), 'apr-once')
    await approval.published
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => decide('apr-once', n % 2 === 0 ? 'approve' : 'deny')),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ json }) => json.code === 'approval_already_decided')).toHaveLength(19)
    const denied = {
      ...{ type: 'agent.approval.denied', event_id: newEventId(), run_id: 'run-apr-once', agent: { id: 'refunds' } },
      data: { approval_id: 'apr-once', status: 'denied', decided_by: APPROVER },
    }
    const late = await request<{ code: string }>(server, 'POST', '/v1/events', { body: denied })
    expect([late.status, late.json.code]).toEqual([409, 'approval_already_decided'])
    const { data } = await get<Page<EventView>>(server, '/v1/events?run_id=run-apr-once')
    expect(data.map(({ type }) => type)).toEqual([
      `agent.approval.${(await show('apr-once')).status}`,
      'agent.approval.requested',
    ])
    const run = await get<RunDetailView>(server, '/v1/runs/run-apr-once')
    expect(run).toMatchObject({ approvals: { total: 1, open: 0 }, lifecycle_warnings: 0 })
  })

  test('a wait goes on when the server is killed and started again, and sees what was decided', async () => {
    const approval = ask(producer(), 'apr-crash')
    await approval.published
    const waited = approval.wait()
    await server.crash()
    expect((await decide('apr-crash', 'deny', { reason: 'no' })).status).toBe(200)
    await server.crash()
    expect((await decide('apr-crash', 'approve')).json.code).toBe('approval_already_decided')
    expect(await waited).toMatchObject({ status: 'denied', approved: false, reason: 'no' })
  })

  test('a server that stops answers those who wait at once', async () => {
    await ask(producer(), 'apr-stop').published
    const { key, id } = await post<{ key: string; id: string }>(server, '/v1/api-keys', { scopes: ['read'] })
    const waited = request<ApprovalView>(server, 'GET', '/v1/approvals/apr-stop/wait?timeout=55', { key })
    const keys = () => get<Page<ApiKeyView>>(server, '/v1/api-keys')
    const isUsed = ({ data }: Page<ApiKeyView>) => data.some((one) => one.id === id && one.last_used_at !== null)
    await until('the wait has come in', keys, isUsed)
    const begun = performance.now()
    expect(await server.process.end('SIGTERM')).toBe(0)
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect((await waited).json.status).toBe('pending')
    await server.start()
  })

  test('what was asked while nobody answers expires during an outage: nobody is asked after that, and it is said', async () => {
    const monitor = await server.receiver(() => 204)
    await createEndpoint(server, monitor.url, 'runbell.approval.undelivered', {
      event_types: ['runbell.approval.undelivered', 'agent.approval.expired'],
    })
    const deaf = await server.receiver(() => 503)
    await createEndpoint(server, deaf.url, 'agent.approval.requested')
    const expiresAt = Date.now() + 1500
    const asked = await publish(server, {
      ...{ type: 'agent.approval.requested', run_id: 'run-outage', agent: { id: 'refunds' } },
      data: {
        ...{ approval_id: 'apr-outage', status: 'pending', kind: 'confirmation', summary: 'Go on?' },
        ...{ summary_source: 'template', options: ['approve', 'deny'], on_expiry: 'cancel_run' },
        expires_at: new Date(expiresAt).toISOString(),
      },
    })
    await deaf.until((received) => received.length === 1)
    await server.process.end('SIGKILL')
    await until(
      'the deadline has passed',
      () => Date.now(),
      (now) => now > expiresAt + 200,
    )
    await server.start()
    const approval = await until(
      'the approval has expired',
      () => show('apr-outage'),
      ({ status }) => status !== 'pending',
    )
    expect(approval).toMatchObject({
      ...{ status: 'expired', overdue: false, expires_at: new Date(expiresAt).toISOString() },
      end: { type: 'agent.approval.expired', data: { consequence: 'cancel_run' } },
    })
    expect((await decide('apr-outage', 'approve')).json.code).toBe('approval_already_decided')
    // Whoever had been sent it when the server was killed, and not on record, is told of as well.
    const typesOf = (received: Received[]) =>
      new Set(received.map(({ body }) => (JSON.parse(body.toString()) as EventView).type))
    await monitor.until((received) => typesOf(received).size === 2)
    const told = monitor.received.map(({ body }) => JSON.parse(body.toString()) as EventView)
    const undelivered = told.find(({ type }) => type === 'runbell.approval.undelivered')
    expect(undelivered?.data).toMatchObject({
      ...{ approval_id: 'apr-outage', event_id: asked.event_id, run_id: 'run-outage', status: 'expired' },
    })
    expect(told.find(({ type }) => type === 'agent.approval.expired')).toMatchObject({
      run_id: 'run-outage',
      sequence: 2,
    })
    const { data } = await get<Page<DeliveryView>>(server, `/v1/events/${asked.event_id}/deliveries`)
    const late = data.find(({ status }) => status === 'expired') as DeliveryView
    for (const { started_at } of await attemptsOf(server, late.id))
      expect(Date.parse(started_at)).toBeLessThan(expiresAt)
    expect(deaf.received).toHaveLength(1)
    const { expired, pending } = (await eventOf(server, asked.event_id)).deliveries
    expect([expired > 0, pending]).toEqual([true, 0])
    expect((await get<RunDetailView>(server, '/v1/runs/run-outage')).delivery_health).toBe('failing')
  })

  test('a tenant that has not asked for it decides elsewhere: nothing is emitted, and what is late is overdue', async () => {
    const event = {
      ...{ type: 'agent.approval.requested', run_id: 'run-else', agent: { id: 'refunds' }, tenant_id: 'elsewhere' },
      data: {
        ...{ approval_id: 'apr-else', status: 'pending', kind: 'plan', summary: 'Go on?', summary_source: 'human' },
        ...{ options: ['approve'], expires_at: new Date(Date.now() + 300).toISOString() },
      },
    }
    await publish(server, event)
    const decided = await decide('apr-else', 'approve')
    expect([decided.status, decided.json.code]).toEqual([409, 'state_conflict'])
    const waited = await get<ApprovalView>(server, '/v1/approvals/apr-else/wait?timeout=30')
    expect(waited).toMatchObject({ status: 'pending', overdue: true, decidable: false, tenant_id: 'elsewhere' })
    const { data } = await get<Page<EventView>>(server, '/v1/events?run_id=run-else')
    expect(data).toHaveLength(1)
  })
})
