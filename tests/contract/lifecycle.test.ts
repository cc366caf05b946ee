import type { Accepted, DeliveryView } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  createEndpoint,
  deliveriesOf,
  get,
  post,
  publish,
  request,
  untilDelivery,
  type Answer,
} from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

const agent = { id: 'refund-agent' }
const fact = (run: string, type: string, data: Record<string, unknown>, more = {}) => {
  return { type: `agent.${type}`, agent, run_id: run, data, ...more }
}
const started = (run: string) => fact(run, 'run.started', { status: 'running' })
const completed = (run: string) => fact(run, 'run.completed', { status: 'completed' })
const failed = (run: string) =>
  fact(run, 'run.failed', { status: 'failed', error: { code: 'tool_error', message: 'It failed.', retryable: false } })

const approval = (run: string, id: string, more = {}, envelope = {}) =>
  fact(
    run,
    'approval.requested',
    {
      approval_id: id,
      status: 'pending',
      kind: 'confirmation',
      summary: 'Refund 84 EUR?',
      summary_source: 'template',
      options: ['approve', 'deny'],
      ...more,
    },
    envelope,
  )

describe('the life of a run', () => {
  const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '100ms', RUNBELL_LIMIT_RUN_EVENTS: '5' })
  const send = (event: unknown): Promise<Answer<Accepted & { code?: string; status?: number }>> =>
    request(server, 'POST', '/v1/events', { body: event })

  test('facts are numbered as they come; what breaks the order is taken and flagged', async () => {
    const answers = []
    for (const event of [completed('order'), started('order'), fact('order', 'run.queued', { status: 'queued' })]) {
      answers.push(await publish(server, event))
    }
    expect(answers.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(answers.map(({ warnings }) => warnings.map(({ code }) => code))).toEqual([
      ['lifecycle'],
      ['lifecycle'],
      ['lifecycle'],
    ])
    expect(answers[0]?.warnings[0]?.message).toContain('before the run was started')
  })

  test('a second, different end is refused and leaves nothing behind, also in a batch and after a crash', async () => {
    await publish(server, started('ends'))
    expect((await send(completed('ends'))).status).toBe(202)
    const again = await send(failed('ends'))
    expect([again.status, again.json.code]).toEqual([409, 'run_already_ended'])
    await server.crash()
    const batch = [failed('ends'), started('ends-2'), completed('ends-2'), failed('ends-2')]
    const { results } = await post<{ results: { status: string; problem?: { code: string } }[] }>(
      server,
      '/v1/events/batch',
      batch,
    )
    expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      ['rejected', 'run_already_ended'],
      ['accepted', undefined],
      ['accepted', undefined],
      ['rejected', 'run_already_ended'],
    ])
    const { data } = await get<{ data: { type: string; sequence: number }[] }>(server, '/v1/events?run_id=ends')
    expect(data.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['agent.run.completed', 2],
      ['agent.run.started', 1],
    ])
  })

  test('of ten ends at the same time one is accepted', async () => {
    await publish(server, started('race'))
    const ends = Array.from({ length: 10 }, (_, n) => send(n % 2 === 0 ? completed('race') : failed('race')))
    const answers = await Promise.all(ends)
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(new Set(answers.filter(({ status }) => status !== 202).map(({ json }) => json.code))).toEqual(
      new Set(['run_already_ended']),
    )
  })

  test('a run has as many events as the limit allows; the next is refused, and a repeat is none', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => `evt_budget_000${name}`)
    const step = (event_id: string) => ({
      ...fact('loop', 'tool_call.started', {
        status: 'running',
        tool_call_id: event_id,
        tool: { name: 'search' },
      }),
      event_id,
      timestamp: '2026-11-23T18:02:10.120Z',
    })
    for (const id of ids) expect((await send(step(id))).status).toBe(202)
    const over = await send(step('evt_budget_0006'))
    expect([over.status, over.json.code]).toEqual([429, 'run_event_budget_exceeded'])
    const again = await send(step('evt_budget_000a'))
    expect([again.status, again.json.duplicate]).toEqual([202, true])
    expect((await request(server, 'GET', '/v1/events/evt_budget_0006')).status).toBe(404)
    expect((await send({ ...step('evt_budget_0007'), run_id: 'another' })).status).toBe(202)
  })
})

interface Told {
  type: string
  agent: object
  data: { approval_id: string; status: string; event_id: string }
}

describe('expiry', () => {
  const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '10m' })

  test('no attempt starts after expires_at: the delivery ends expired, and an approval says so', async () => {
    const down = await server.receiver(() => 503)
    const desk = await server.receiver(() => 204)
    await createEndpoint(server, down.url, 'agent.*')
    await createEndpoint(server, desk.url, 'runbell.approval.undelivered')
    const soon = () => new Date(Date.now() + 2500).toISOString()
    const note = await publish(server, { ...started('short'), expires_at: soon() })
    const inEnvelope = await publish(server, approval('a', 'ap-1', {}, { expires_at: soon() }))
    const inData = await publish(server, approval('b', 'ap-2', { expires_at: soon() }))
    const ended: DeliveryView[] = []
    for (const { event_id: id } of [note, inEnvelope, inData]) ended.push(await untilDelivery(server, id))
    expect(ended.map(({ status }) => status)).toEqual(['expired', 'expired', 'expired'])
    expect(ended.map(({ attempt_count: count }) => count)).toEqual([1, 1, 1])
    expect(down.received).toHaveLength(3)

    await desk.until((received) => received.length === 2)
    const told = desk.received.map(({ body }) => JSON.parse(body.toString()) as Told)
    const facts = told.map(({ data }) => `${data.approval_id} ${data.status} ${data.event_id}`)
    expect(facts.toSorted()).toEqual([`ap-1 expired ${inEnvelope.event_id}`, `ap-2 expired ${inData.event_id}`])
    for (const event of told) {
      expect(event).toMatchObject({ type: 'runbell.approval.undelivered', agent: { id: 'runbell' } })
    }
    // Nothing is told of the deliveries of what is told.
    const { data } = await get<{ data: unknown[] }>(server, '/v1/events?type=runbell.*')
    expect(data).toHaveLength(2)
  })

  test('what has expired when it comes is stored and sent to nobody', async () => {
    const receiver = await server.receiver(() => 204)
    await createEndpoint(server, receiver.url, 'agent.run.started', { tenant_id: 'late' })
    const past = { expires_at: new Date(Date.now() - 1000).toISOString(), tenant_id: 'late' }
    const { status, json } = await request<Accepted>(server, 'POST', '/v1/events', {
      body: { ...started('late'), ...past },
    })
    expect(status).toBe(202)
    const [delivery] = await deliveriesOf(server, json.event_id)
    const end = await untilDelivery(server, json.event_id)
    expect([delivery?.id, end.status, end.attempt_count]).toEqual([end.id, 'expired', 0])
    expect(receiver.received).toEqual([])
  })
})
