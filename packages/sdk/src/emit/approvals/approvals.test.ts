import { createHmac } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { acceptAll, publishServer, runbellWith, type Reply } from '../../../test/publish-server.ts'

const BINDING_KEY = 'a secret of at least 24 bytes'
const OTHER_KEY = 'another secret, of another time'
const INPUT = { order_id: '7781', amount: '84.00', currency: 'EUR' }
const REQUEST = {
  run_id: 'run_1',
  approval_id: 'apr_1',
  tool_call_id: 'call_1',
  tool: 'issue_refund',
  summary: 'Refund 84.00 EUR.',
  summary_source: 'template',
  input: INPUT,
} as const

/** What the server says of the approval, answer by answer; the last one for ever. */
function serverSaying(...answers: (object | Reply)[]) {
  const asked: string[] = []
  const server = publishServer((request) => {
    if (!request.path.includes('/approvals/')) return acceptAll(request)
    asked.push(request.path)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (typeof answer === 'function') return (answer as Reply)(request)
    return { status: 200, body: { approval_id: 'apr_1', ...answer } }
  })
  return Object.assign(server, { asked })
}

const problem =
  (status: number, code: string): Reply =>
  () => ({ status, body: { code, status, detail: code } })

describe('a request', () => {
  it('says what is asked, with a binding, and not the input', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server, { bindingKeys: BINDING_KEY })
    const approval = runbell.approvals.request({ ...REQUEST, expires_at: '2026-11-23T22:02:15.000Z' })
    expect(await approval.published).not.toBeNull()
    expect(server.posted()[0]).toMatchObject({ type: 'agent.approval.requested', run_id: 'run_1' })
    expect(server.posted()[0]?.data).toEqual({
      approval_id: 'apr_1',
      status: 'pending',
      kind: 'tool_call',
      options: ['approve', 'deny'],
      tool: { name: 'issue_refund' },
      tool_call_id: 'call_1',
      input_binding: approval.input_binding,
      summary: 'Refund 84.00 EUR.',
      summary_source: 'template',
      expires_at: '2026-11-23T22:02:15.000Z',
      on_expiry: 'deny',
    })
  })

  it('tells the input where that is asked for, and has an id of its own where it is given none', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server)
    const { approval_id: _none, ...request } = REQUEST
    const approval = runbell.approvals.request({ ...request, include_input: true })
    await approval.published
    expect(server.posted()[0]?.data).toMatchObject({ input: INPUT, approval_id: approval.approval_id })
    expect(approval.approval_id).toMatch(/^apr_test_[0-9a-z]{26}$/)
    expect(server.posted()[0]?.data).not.toHaveProperty('input_binding')
  })

  it('is followed by one of its ends', async () => {
    const server = publishServer()
    const { runbell } = runbellWith(server, { bindingKeys: BINDING_KEY })
    const approval = runbell.approvals.request(REQUEST)
    await approval.approved({ decided_by: { type: 'user', id: 'usr_1' } })
    expect(server.posted()[1]).toMatchObject({
      type: 'agent.approval.approved',
      run_id: 'run_1',
      event_id: expect.stringContaining('once_'),
      data: { approval_id: 'apr_1', status: 'approved', tool_call_id: 'call_1', input_binding: approval.input_binding },
    })
  })
})

describe('the binding', () => {
  const { runbell } = runbellWith(publishServer(), { bindingKeys: [BINDING_KEY, OTHER_KEY] })
  const bound = { approval_id: 'apr_1', tool_call_id: 'call_1', tool: 'issue_refund', input: INPUT }

  it('is an HMAC over approval, call, tool and input, each where it stands', () => {
    const text =
      '["runbell.input_binding.1","apr_1","call_1","issue_refund",{"amount":"84.00","currency":"EUR","order_id":"7781"}]'
    const expected = `hmac-sha256:${createHmac('sha256', BINDING_KEY).update(text).digest('base64url')}`
    expect(runbell.approvals.bindingOf(bound)).toBe(expected)
  })

  it('is the same whatever order the keys of the input have, and another for any other input', () => {
    const binding = runbell.approvals.bindingOf(bound)
    const again = { currency: 'EUR', amount: '84.00', order_id: '7781', nothing: undefined }
    expect(runbell.approvals.isBoundTo({ ...bound, input: again }, binding)).toBe(true)
    for (const other of [
      { ...bound, approval_id: 'apr_2' },
      { ...bound, tool_call_id: undefined },
      { ...bound, tool: 'other' },
      { ...bound, input: { ...INPUT, amount: '840.00' } },
      { ...bound, input: { ...INPUT, amount: 84 } },
      { ...bound, input: null },
    ]) {
      expect(runbell.approvals.isBoundTo(other, binding)).toBe(false)
    }
    for (const none of [undefined, null, '', `${binding}x`, binding.slice(0, -1)]) {
      expect(runbell.approvals.isBoundTo(bound, none)).toBe(false)
    }
  })

  it('holds with an older key, and not with somebody else’s', () => {
    const older = runbellWith(publishServer(), { bindingKeys: OTHER_KEY }).runbell.approvals.bindingOf(bound)
    expect(runbell.approvals.isBoundTo(bound, older)).toBe(true)
    const foreign = runbellWith(publishServer(), { bindingKeys: 'x'.repeat(24) }).runbell.approvals.bindingOf(bound)
    expect(runbell.approvals.isBoundTo(bound, foreign)).toBe(false)
  })

  it('needs a key that is a secret', () => {
    expect(() => runbellWith(publishServer(), { bindingKeys: 'short' })).toThrow(TypeError)
    const { runbell: without } = runbellWith(publishServer())
    expect(() => without.approvals.bindingOf(bound)).toThrow(expect.objectContaining({ code: 'binding_key_missing' }))
  })

  it('is left out for an input that is no JSON, and nothing is thrown into the agent', () => {
    const { runbell: with1 } = runbellWith(publishServer(), { bindingKeys: BINDING_KEY })
    expect(with1.approvals.request({ ...REQUEST, input: 1n }).input_binding).toBeUndefined()
  })
})

describe('waiting', () => {
  it('asks until there is a decision', async () => {
    const server = serverSaying({ status: 'pending' }, { status: 'denied', reason: 'no', decided_by: { type: 'user' } })
    const { runbell } = runbellWith(server)
    expect(await runbell.approvals.wait('apr/1', { tenant_id: 'acme' })).toEqual({
      approval_id: 'apr/1',
      status: 'denied',
      approved: false,
      reason: 'no',
      decided_by: { type: 'user' },
    })
    expect(server.asked).toEqual(Array(2).fill('/v1/approvals/apr%2F1/wait?timeout=30&tenant_id=acme'))
  })

  it('goes on over faults, and does not ask in a loop where the server does not wait', async () => {
    const sleep = vi.fn(() => Promise.resolve())
    const broken: Reply = () => 'broken'
    const server = serverSaying(
      broken,
      problem(503, 'unavailable'),
      problem(404, 'not_found'),
      { status: 'pending' },
      { status: 'approved' },
    )
    const { runbell } = runbellWith(server, { sleep })
    expect(await runbell.approvals.wait('apr_1')).toMatchObject({ approved: true })
    expect(sleep.mock.calls.map(([ms]: unknown[]) => ms)).toEqual([187.5, 375, 750, 1000])
  })

  it('ends with what the server refuses to say', async () => {
    const { runbell } = runbellWith(serverSaying(problem(403, 'insufficient_scope')))
    await expect(runbell.approvals.wait('apr_1')).rejects.toMatchObject({ code: 'insufficient_scope' })
    const missing = runbellWith(serverSaying(problem(404, 'not_found')), {
      sleep: (ms) => {
        missing.clock.now += ms
        return Promise.resolve()
      },
    })
    await expect(missing.runbell.approvals.wait('apr_1')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('ends, without a decision, in time and by its signal', async () => {
    const server = serverSaying({ status: 'pending' })
    const { runbell, clock } = runbellWith(server, {
      sleep: (ms) => {
        clock.now += ms
        return Promise.resolve()
      },
    })
    const pending = { approval_id: 'apr_1', status: 'pending', approved: false }
    expect(await runbell.approvals.wait('apr_1', { timeoutMs: 3000 })).toEqual(pending)
    expect(server.asked.map((path) => new URL(path, 'http://x').searchParams.get('timeout'))).toEqual([
      '3',
      '2',
      '1',
      '0',
    ])
    expect(await runbell.approvals.wait('apr_1', { signal: AbortSignal.abort() })).toEqual(pending)
  })

  it.each(['expired', 'cancelled', 'overdue'])('ends where it is %s, which allows nothing', async (status) => {
    const { runbell } = runbellWith(serverSaying({ status }))
    expect(await runbell.approvals.wait('apr_1')).toMatchObject({ status, approved: false })
  })

  it('takes a status that it does not know for no decision', async () => {
    const { runbell } = runbellWith(serverSaying({ status: 'escalated' }, { status: 'pending', overdue: true }))
    expect(await runbell.approvals.wait('apr_1')).toMatchObject({ status: 'overdue', approved: false })
  })

  it('refuses an approval of something else, or one that does not say of what', async () => {
    const { runbell } = runbellWith(publishServer(), { bindingKeys: BINDING_KEY })
    const binding = runbell.approvals.bindingOf({ ...REQUEST, input: { ...INPUT, amount: '9999.00' } })
    for (const said of [{}, { input_binding: binding }, { input_binding: null }]) {
      const other = runbellWith(serverSaying({ status: 'approved', ...said }), { bindingKeys: BINDING_KEY })
      await expect(other.runbell.approvals.request(REQUEST).wait()).rejects.toMatchObject({
        code: 'input_binding_mismatch',
      })
    }
    const same = runbell.approvals.bindingOf(REQUEST)
    const right = runbellWith(serverSaying({ status: 'approved', input_binding: same }), { bindingKeys: BINDING_KEY })
    expect(await right.runbell.approvals.request(REQUEST).wait()).toMatchObject({ approved: true })
  })
})

it('a run asks, waits and goes on, all of it told', async () => {
  const server = serverSaying({ status: 'approved', decided_by: { type: 'user' } })
  const { runbell } = runbellWith(server)
  await runbell.run({ run_id: 'run_1' }, async (run) => {
    const { run_id: _run, ...request } = REQUEST
    const decision = await run.approval.ask(request)
    if (decision.approved) await run.tool({ name: 'issue_refund', tool_call_id: 'call_1' }, () => undefined)
  })
  await runbell.flush()
  expect(server.posted().flatMap(({ type }) => type ?? [])).toEqual([
    'agent.run.started',
    'agent.approval.requested',
    'agent.run.waiting',
    'agent.run.resumed',
    'agent.tool_call.started',
    'agent.tool_call.completed',
    'agent.run.completed',
  ])
})
