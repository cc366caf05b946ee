import type { ApprovalView } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { sealAll } from '../../audit/seal.ts'
import { createTestApi, type TestAnswer, type TestApi } from '../testing/test-api.ts'

let test: TestApi
let reader: string
let decider: string
beforeEach(async () => {
  test = await createTestApi()
  reader = await test.addKey({ scopes: ['read'] })
  decider = await test.addKey({ scopes: ['decide'] })
  await test.post('/v1/tenants', { body: { id: 'default', decide_approvals: true } })
})

let count = 0
const BINDING = `hmac-sha256:${'b'.repeat(43)}`

async function publish(type: string, data: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const event_id = `evt_test_appr${String(++count).padStart(6, '0')}`
  const agent = { id: 'refunds', name: 'Refunds', version: '2' }
  const event = { event_id, type: `agent.${type}`, run_id: 'run-1', agent, data, ...more }
  return test.post('/v1/events', { body: event })
}

async function request(id = 'apr-1', data: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const asked = {
    ...{
      approval_id: id,
      status: 'pending',
      kind: 'tool_call',
      summary: 'Refund 84.00 EUR.',
      summary_source: 'template',
    },
    ...{ options: ['approve', 'deny'], tool_call_id: 'call-1', input_binding: BINDING, input: { amount: 84.0 } },
  }
  const answer = await publish('approval.requested', { ...asked, ...data }, more)
  if (answer.status !== 202) throw new Error(answer.text)
  return answer.json.event_id as string
}

const show = async (id = 'apr-1', key = reader): Promise<ApprovalView> =>
  (await test.get(`/v1/approvals/${id}`, { key })).json
const decide = (
  decision: string,
  more: Record<string, unknown> = {},
  key = decider,
  id = 'apr-1',
): Promise<TestAnswer> => test.post(`/v1/approvals/${id}/decision`, { key, body: { decision, ...more } })

const later = (ms: number) => new Date(test.clock.now() + ms).toISOString()

describe('GET /v1/approvals', () => {
  it('shows what is asked, as far as the key may see it, and puts the look on record', async () => {
    const eventId = await request('apr-1', { expires_at: later(60_000) })
    const approval = await show()
    expect(approval).toMatchObject({
      ...{ approval_id: 'apr-1', run_id: 'run-1', tenant_id: 'default', mode: 'test', status: 'pending' },
      ...{ overdue: false, decidable: true, ended_at: null, decided_by: null, end: null },
      expires_at: later(60_000),
      request: { event_id: eventId, data: { summary: 'Refund 84.00 EUR.' }, deliveries: { total: 0 } },
    })
    expect(approval.request?.data).not.toHaveProperty('input')
    expect((await show('apr-1', test.key)).request?.data).toMatchObject({ input: { amount: 84 } })
    await sealAll(test.store, test.context.views)
    const { data } = (await test.get('/v1/audit-log?action=payload.viewed')).json
    expect(data.map(({ target }: { target: string }) => target)).toEqual([eventId, eventId])
  })

  it('keeps numbers as they were sent', async () => {
    const event = {
      ...{ type: 'agent.approval.requested', run_id: 'run-1', agent: { id: 'a' } },
      data: {
        approval_id: 'n',
        status: 'pending',
        kind: 'plan',
        summary: 's',
        summary_source: 'human',
        options: ['deny'],
      },
    }
    const raw = `${JSON.stringify(event).slice(0, -2)},"input":12345678901234567890}}`
    expect((await test.post('/v1/events', { raw })).status).toBe(202)
    expect((await test.get('/v1/approvals/n')).text).toContain('12345678901234567890')
  })

  it('lists newest first, by status, run and time, in pages', async () => {
    for (const id of ['a', 'b', 'c']) await request(id, {}, { run_id: `run-${id}` })
    await publish(
      'approval.denied',
      { approval_id: 'b', status: 'denied', decided_by: { type: 'user' } },
      { run_id: 'run-b' },
    )
    const list = async (query: string) => {
      const { data } = (await test.get(`/v1/approvals?${query}`, { key: reader })).json
      return data.map(({ approval_id }: ApprovalView) => approval_id)
    }
    expect(await list('')).toEqual(['c', 'b', 'a'])
    expect(await list('status=pending')).toEqual(['c', 'a'])
    expect(await list('status=denied,approved')).toEqual(['b'])
    expect(await list('run_id=run-a')).toEqual(['a'])
    expect(await list(`since=${later(1000)}`)).toEqual([])
    const first = (await test.get('/v1/approvals?limit=2', { key: reader })).json
    expect(await list(`limit=2&cursor=${first.next_cursor}`)).toEqual(['a'])
    expect((await test.get('/v1/approvals?cursor=x', { key: reader })).json.code).toBe('cursor_invalid')
  })

  it('says which of two runs is meant', async () => {
    await request('apr-1')
    await request('apr-1', {}, { run_id: 'run-2' })
    expect((await test.get('/v1/approvals/apr-1', { key: reader })).json.code).toBe('ambiguous_id')
    expect((await test.get('/v1/approvals/apr-1?run_id=run-2', { key: reader })).json.run_id).toBe('run-2')
    expect((await decide('deny')).json.code).toBe('ambiguous_id')
  })

  it('calls overdue what nobody is going to end', async () => {
    await test.post('/v1/tenants', { body: { id: 'default' } })
    await request('apr-1', { expires_at: later(1000) })
    expect(await show()).toMatchObject({ status: 'pending', overdue: false, decidable: false })
    test.clock.time += 1000
    expect(await show()).toMatchObject({ status: 'pending', overdue: true })
    await test.post('/v1/tenants', { body: { id: 'default', decide_approvals: true } })
    expect(await show()).toMatchObject({ overdue: true, decidable: false })
  })
})

describe('POST /v1/approvals/{approval_id}/decision', () => {
  it('decides once, with an event that follows from it, and an entry in the audit log', async () => {
    const requestId = await request('apr-1', {}, { conversation_id: 'conv 1', trace_id: 'a'.repeat(32) })
    const decided_by = { type: 'user', id: 'usr_1' }
    const first = await decide('approve', { reason: 'It is fine.', input_binding: BINDING, decided_by })
    expect(first).toMatchObject({
      status: 200,
      json: { status: 'approved', run_id: 'run-1', sequence: 2, deliveries: 0 },
    })
    expect((await test.get(`/v1/events/${first.json.event_id}`)).json).toMatchObject({
      ...{ type: 'agent.approval.approved', run_id: 'run-1', sequence: 2, causation_id: requestId },
      ...{
        agent: { id: 'refunds', name: 'Refunds', version: '2' },
        conversation_id: 'conv 1',
        trace_id: 'a'.repeat(32),
      },
      data: {
        ...{ approval_id: 'apr-1', status: 'approved', tool_call_id: 'call-1', input_binding: BINDING },
        ...{ decided_by, decided_at: first.json.decided_at, reason: 'It is fine.' },
      },
    })
    const again = await decide('deny')
    expect(again).toMatchObject({ status: 409, json: { code: 'approval_already_decided' } })
    const { data } = (await test.get('/v1/audit-log?action=approval.decided')).json
    expect(data).toHaveLength(1)
    expect(data[0]).toMatchObject({ actor: `key_test_${decider.split('_')[2]}`, target: 'apr-1', tenant_id: 'default' })
    expect(JSON.stringify(data)).not.toContain('It is fine.')
  })

  it.each([
    ['deny', 'denied', 'agent.approval.denied'],
    ['cancel', 'cancelled', 'agent.approval.cancelled'],
  ])('%s makes it %s', async (decision, status, type) => {
    await request()
    const { json } = await decide(decision, { reason: 'Not needed.' })
    expect(json.status).toBe(status)
    expect((await show('apr-1', test.key)).end).toMatchObject({ type, data: { status, reason: 'Not needed.' } })
  })

  it('is one of twenty at once', async () => {
    await request()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => decide(n % 2 === 0 ? 'approve' : 'deny')))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array(19).fill(409)])
    expect(new Set(answers.map(({ json }) => json.code))).toEqual(new Set([undefined, 'approval_already_decided']))
    expect((await test.get('/v1/events?type=agent.approval.*')).json.data).toHaveLength(2)
  })

  it('is refused to a producer afterwards, and after a producer', async () => {
    await request()
    await decide('approve')
    const denied = { approval_id: 'apr-1', status: 'denied', decided_by: { type: 'user' } }
    expect((await publish('approval.denied', denied)).json).toMatchObject({
      status: 409,
      code: 'approval_already_decided',
    })
    await request('apr-2')
    await publish('approval.denied', { ...denied, approval_id: 'apr-2' })
    expect((await decide('approve', {}, decider, 'apr-2')).json.code).toBe('approval_already_decided')
    expect(await show('apr-2')).toMatchObject({ status: 'denied', decidable: false })
  })

  it('needs the tenant to have asked for it, the scope, and the approval to be there', async () => {
    await request()
    for (const scopes of [['read', 'publish', 'replay', 'manage'] as const]) {
      const key = await test.addKey({ scopes: [...scopes] })
      expect((await decide('approve', {}, key)).json.code).toBe('insufficient_scope')
    }
    const foreign = await test.addKey({ scopes: ['decide'], tenantId: 'other' })
    expect((await decide('approve', {}, foreign)).json.code).toBe('not_found')
    expect((await decide('approve', {}, decider, 'none')).json.code).toBe('not_found')
    await test.post('/v1/tenants', { body: { id: 'default' } })
    const off = await decide('approve')
    expect(off).toMatchObject({ status: 409, json: { code: 'state_conflict' } })
    expect(off.json.suggested_fix).toContain('decide_approvals')
    expect((await show()).status).toBe('pending')
  })

  it('is too late from the deadline on', async () => {
    await request('apr-1', { expires_at: later(1000) })
    test.clock.time += 1000
    expect((await decide('approve')).json).toMatchObject({ status: 409, code: 'approval_already_decided' })
    expect(await show()).toMatchObject({ status: 'pending', overdue: false, decidable: false })
  })

  it('is for the input that was looked at', async () => {
    await request()
    for (const input_binding of [`hmac-sha256:${'c'.repeat(43)}`, 'x']) {
      const { status, json } = await decide('approve', { input_binding })
      expect([status, json.errors[0].path]).toEqual([422, '/input_binding'])
    }
    await request('apr-2', { input_binding: undefined })
    expect((await decide('deny', { input_binding: BINDING }, decider, 'apr-2')).status).toBe(422)
    expect((await decide('approve', { input_binding: BINDING })).status).toBe(200)
  })

  it('approves only what offers that, and never what cannot be read any more or has ended with its run', async () => {
    await request('apr-1', { options: ['deny', 'edit'] })
    expect((await decide('approve')).json.errors[0]).toMatchObject({ path: '/decision' })
    const eventId = await request('apr-2')
    await test.post(`/v1/events/${eventId}/erase`)
    expect((await decide('approve', {}, decider, 'apr-2')).json.code).toBe('payload_expired')
    expect((await decide('deny', {}, decider, 'apr-2')).status).toBe(200)
    expect((await show('apr-2', test.key)).end).toMatchObject({ type: 'agent.approval.denied' })
    await publish('run.cancelled', { status: 'cancelled', cancelled_by: { type: 'user' } })
    expect((await decide('deny')).json.code).toBe('run_already_ended')
    expect((await decide('cancel')).status).toBe(200)
  })

  it.each([
    ['a reason that is too long for what always travels', { decision: 'cancel', reason: 'x'.repeat(281) }, '/reason'],
    ['a reason with a control character that always travels', { decision: 'cancel', reason: 'a\u0007b' }, '/reason'],
    ['another word', { decision: 'maybe' }, '/decision'],
    ['an unknown member', { decision: 'deny', why: 'x' }, '/why'],
  ])('refuses %s', async (_name, body, path) => {
    await request()
    const { status, json } = await test.post('/v1/approvals/apr-1/decision', { key: decider, body })
    expect([status, json.errors[0].path]).toEqual([422, path])
    expect((await show()).status).toBe('pending')
  })

  it('keeps no credential that stands in a reason', async () => {
    await request()
    await decide('approve', { reason: `use ${test.key}` })
    expect(JSON.stringify(await show('apr-1', test.key))).not.toContain(test.key)
  })
})

describe('GET /v1/approvals/{approval_id}/wait', () => {
  const wait = (query = '', key = reader) => test.get(`/v1/approvals/apr-1/wait${query}`, { key })

  it('answers at once where there is nothing to wait for', async () => {
    await request()
    expect((await wait('?timeout=0')).json.status).toBe('pending')
    await decide('deny')
    expect((await wait('?timeout=55')).json.status).toBe('denied')
    expect(test.waits.size).toBe(0)
  })

  it.each([
    ['somebody decides', () => decide('approve'), 'approved'],
    [
      'a producer does',
      () => publish('approval.cancelled', { approval_id: 'apr-1', status: 'cancelled' }),
      'cancelled',
    ],
  ])('answers as soon as %s', async (_name, act, status) => {
    await request()
    const answers = Array.from({ length: 5 }, () => wait('?timeout=55'))
    await expect.poll(() => test.waits.size).toBe(5)
    await act()
    for (const { json } of await Promise.all(answers)) expect(json.status).toBe(status)
    expect(test.waits.size).toBe(0)
  })

  it('answers with how it stands when the server stops', async () => {
    await request()
    const answer = wait()
    await expect.poll(() => test.waits.size).toBe(1)
    test.waits.stop()
    expect((await answer).json.status).toBe('pending')
    expect((await wait()).json.status).toBe('pending')
  })

  it('needs the scope to read', async () => {
    await request()
    expect((await wait('', decider)).json.code).toBe('insufficient_scope')
    expect((await wait('?timeout=-1')).status).toBe(422)
  })
})
