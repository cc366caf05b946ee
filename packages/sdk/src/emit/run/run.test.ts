import { describe, expect, it, vi } from 'vitest'
import { checkSchema } from '../../../test/check-schema.ts'
import { away, publishServer, refuseAll, runbellWith, type PostedEvent } from '../../../test/publish-server.ts'
import { BUILT_IN_TYPES } from '../../catalog/index.ts'
import { AgentError, type RunbellOptions } from '../index.ts'

/** A Runbell whose every event has to fit the schema of its type. */
function world(options: Partial<RunbellOptions> = {}) {
  const server = publishServer()
  const { runbell, lost, clock } = runbellWith(server, options)
  const told = async (): Promise<PostedEvent[]> => {
    await runbell.flush()
    for (const { type, data } of server.posted()) {
      const schema = BUILT_IN_TYPES.get(type)?.versions[0]?.schema
      expect(schema === undefined ? [] : checkSchema(schema, data), type).toEqual([])
    }
    return server.posted()
  }
  const types = async () => (await told()).map(({ type }) => type)
  return { runbell, server, lost, clock, told, types }
}

describe('a run around work', () => {
  it('tells that it started and that it completed, hands on the result and keeps it to itself', async () => {
    const { runbell, told, clock } = world()
    const result = await runbell.run({ run_id: 'run_1', conversation_id: 'thread_1' }, (run) => {
      expect(run.run_id).toBe('run_1')
      clock.now += 1500
      return { secret: 'hunter2' }
    })
    expect(result).toEqual({ secret: 'hunter2' })
    const events = await told()
    expect(events).toMatchObject([
      { type: 'agent.run.started', run_id: 'run_1', conversation_id: 'thread_1', data: { status: 'running' } },
      { type: 'agent.run.completed', run_id: 'run_1', data: { status: 'completed', duration_ms: 1500 } },
    ])
    expect(JSON.stringify(events)).not.toContain('hunter2')
  })

  it('tells of a failure what its class says, and nothing of its text; the exception goes on as it is', async () => {
    const { runbell, told } = world()
    const exception = Object.assign(new Error('password is hunter2'), { code: 'ECONNREFUSED', token: 'hunter2' })
    await expect(runbell.run({}, () => Promise.reject(exception))).rejects.toBe(exception)
    const events = await told()
    expect(events[1]).toMatchObject({
      type: 'agent.run.failed',
      data: {
        status: 'failed',
        error: { code: 'dependency_failed', message: 'Another service failed.', retryable: true },
      },
    })
    expect(JSON.stringify(events)).not.toMatch(/hunter2|run\.test/)
  })

  it.each([
    [new DOMException('x', 'TimeoutError'), { status: 'timed_out', error: { code: 'timeout' } }],
    [new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }), { error: { code: 'dependency_failed' } }],
    [new AgentError('approval_denied'), { status: 'rejected', error: { code: 'approval_denied' } }],
    [
      new AgentError('tool_error', { message: 'No\nrefund\u202e', side_effects: 'none' }),
      { error: { message: 'No refund ' } },
    ],
    ['just text', { status: 'failed', error: { code: 'internal_error' } }],
    [undefined, { error: { code: 'internal_error' } }],
    [
      Object.defineProperty({}, 'code', {
        get: () => {
          throw new Error('getter')
        },
      }),
      { error: { code: 'internal_error' } },
    ],
  ])('classifies what was thrown: %#', async (thrown, data) => {
    const { runbell, told } = world()
    await runbell
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- anything can be thrown
      .run({}, () => Promise.reject(thrown))
      .catch(() => undefined)
    expect((await told())[1]).toMatchObject({ type: 'agent.run.failed', data })
  })

  it('takes the producer’s own reading of an exception, and survives one that throws', async () => {
    const classifyError = vi.fn<() => { code: 'conflict' }>(() => ({ code: 'conflict' }))
    const { runbell, told } = world({ classifyError })
    const fail = () => runbell.run({}, () => Promise.reject(new Error('x'))).catch(() => undefined)
    await fail()
    classifyError.mockImplementation(() => {
      throw new Error('broken')
    })
    await fail()
    const codes = (await told()).filter(({ type }) => type === 'agent.run.failed').map(({ data }) => data['error'])
    expect(codes).toMatchObject([{ code: 'conflict' }, { code: 'internal_error' }])
  })

  it('was cancelled where its signal says so', async () => {
    const { runbell, types } = world()
    const stop = new AbortController()
    const work = () => {
      stop.abort()
      stop.signal.throwIfAborted()
    }
    await expect(runbell.run({ signal: stop.signal }, work)).rejects.toMatchObject({ name: 'AbortError' })
    expect(await types()).toEqual(['agent.run.started', 'agent.run.cancelled'])
  })

  it('is not completed where it waits or has ended already, and goes on in another process', async () => {
    const { runbell, types } = world()
    await runbell.run({ run_id: 'run_1' }, (run) => void run.waiting({ waiting_for: 'input' }))
    await runbell.run({ run_id: 'run_1', resumed_after: 'input' }, async (run) => {
      await run.step(() => undefined)
      void run.partiallyCompleted({ reason: 'budget' })
    })
    expect(await types()).toEqual([
      'agent.run.started',
      'agent.run.waiting',
      'agent.run.resumed',
      'agent.run.partially_completed',
    ])
  })

  it('does not wait for the network', async () => {
    const { runbell, server, told } = world()
    let open: () => void = () => undefined
    const opened = new Promise<void>((resolve) => void (open = resolve))
    const { reply } = server
    server.reply = async (request) => {
      await opened
      return reply(request)
    }
    expect(await runbell.run({}, (run) => run.tool({ name: 'look_up' }, () => 7))).toBe(7)
    expect(server.requests).toHaveLength(1)
    open()
    expect((await told()).map(({ type }) => type.slice('agent.'.length))).toEqual([
      'run.started',
      'tool_call.started',
      'tool_call.completed',
      'run.completed',
    ])
  })

  it('goes on where nothing can be published', async () => {
    const server = publishServer(away)
    const { runbell, lost } = runbellWith(server)
    expect(await runbell.run({}, (run) => run.tool({ name: 'x' }, () => 'done'))).toBe('done')
    await runbell.flush()
    expect(lost.map(([code]) => code)).toEqual(['network_failed', 'network_failed', 'network_failed', 'network_failed'])
  })

  it('in strict mode fails for its facts, unless its work failed first', async () => {
    const { runbell } = runbellWith(publishServer(refuseAll(403, 'insufficient_scope')), { strict: true })
    await expect(runbell.run({}, () => 1)).rejects.toMatchObject({ code: 'insufficient_scope' })
    await expect(runbell.run({}, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  })
})

describe('a tool call', () => {
  it('tells neither input nor output unless that is asked for', async () => {
    const { runbell, told } = world()
    const tool = {
      name: 'pay',
      input: { card: '4242' },
      tool_call_id: 'call_1',
      annotations: { destructive_hint: true },
    }
    await runbell.run({ run_id: 'run_1' }, (run) => run.tool(tool, () => ({ receipt: 'r' })))
    await runbell.run({ run_id: 'run_2', capture: ['tool_input', 'tool_output', 'output'] }, (run) =>
      run.tool(tool, () => ({ receipt: 'r' })),
    )
    const events = await told()
    const about = { tool_call_id: 'call_1', tool: { name: 'pay', annotations: { destructive_hint: true } } }
    const of = (runId: string) => events.filter(({ run_id }) => run_id === runId)
    expect(of('run_1')[1]?.data).toEqual({ ...about, status: 'running' })
    expect(of('run_1')[2]?.data).toEqual({ ...about, status: 'completed', duration_ms: 0 })
    expect(
      of('run_2')
        .slice(1)
        .map(({ data }) => [data['input'], data['output']]),
    ).toEqual([
      [{ card: '4242' }, undefined],
      [{ card: '4242' }, { receipt: 'r' }],
      [undefined, { receipt: 'r' }],
    ])
  })

  it('tells that it failed, or timed out, or was denied before it began', async () => {
    const { runbell, told } = world()
    const run = runbell.run({ run_id: 'run_1' })
    const failing = run.tool({ name: 'pay', attempt: 2 }, () => Promise.reject(new Error('card 4242 declined')))
    await expect(failing).rejects.toThrow('declined')
    const call = run.toolCall({ name: 'pay' })
    void call.started()
    void call.failed(new DOMException('', 'TimeoutError'))
    void run.toolCall({ name: 'pay' }).denied({ denied_by: { type: 'policy' }, approval_id: 'apr_1' })
    const events = await told()
    expect(events[1]?.data).toMatchObject({
      attempt: 2,
      error: { code: 'tool_error', origin: 'tool' },
      status: 'failed',
    })
    expect(events[3]?.data).toMatchObject({ error: { code: 'timeout' }, status: 'timed_out' })
    expect(events[4]).toMatchObject({
      type: 'agent.tool_call.denied',
      data: { approval_id: 'apr_1', status: 'denied' },
    })
    expect(JSON.stringify(events)).not.toContain('4242')
  })
})

describe('every other fact', () => {
  it('fits its schema and carries the run', async () => {
    const { runbell, told } = world()
    const run = runbell.run({ run_id: 'run_1', tenant_id: 'acme', task_id: 'task_1', metadata: { region: 'eu' } })
    void run.queued({ trigger: 'user' })
    void run.started()
    void run.retrying(new Error('x'), { attempt: 1, next_attempt_at: '2026-11-23T18:02:15.120Z' })
    void run.resumed({ resumed_after: 'retry' })
    void run.handedOff({ id: 'other-agent' })
    void run.message({ channel: 'chat', content_length: 5 })
    void run.emit('agent.escalation.created', {
      data: { escalation_id: 'esc_1', status: 'open', reason_code: 'safety' },
    })
    void run.outcomeUnknown()
    const events = await told()
    expect(events.map(({ type }) => type)).toEqual([
      'agent.run.queued',
      'agent.run.started',
      'agent.run.retrying',
      'agent.run.resumed',
      'agent.run.handed_off',
      'agent.message.sent',
      'agent.escalation.created',
      'agent.run.outcome_unknown',
    ])
    for (const event of events) {
      expect(event).toMatchObject({ run_id: 'run_1', tenant_id: 'acme', task_id: 'task_1', metadata: { region: 'eu' } })
    }
    expect(events.map(({ agent }) => agent.id)).toEqual([
      ...Array.from({ length: 5 }, () => 'refund-agent'),
      ...Array.from({ length: 3 }, () => 'other-agent'),
    ])
  })

  it('of a child run names its parent and shares conversation and trace', async () => {
    const { runbell, told } = world()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await runbell.run({ run_id: 'run_1', conversation_id: 'thread_1', traceparent }, (run) =>
      run.child({ run_id: 'run_2', agent: { id: 'helper' } }, () => undefined),
    )
    const started = (await told()).filter(({ type }) => type === 'agent.run.started')
    expect(started).toMatchObject([
      { run_id: 'run_1', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
      {
        run_id: 'run_2',
        conversation_id: 'thread_1',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        agent: { id: 'helper' },
        data: { parent_run_id: 'run_1' },
      },
    ])
  })
})

describe('facts that can be true only once', () => {
  it('have the same id from any process, however often they are told', async () => {
    const one = world()
    const other = world()
    for (const { runbell, clock } of [one, one, other]) {
      clock.now += 1000
      const run = runbell.run({ run_id: 'run_1' })
      void run.started()
      await run.tool({ name: 'pay', tool_call_id: 'call_1' }, () => undefined)
      void run.completed()
    }
    const ids = (events: PostedEvent[]) => events.map(({ event_id: id }) => id)
    const first = ids(await one.told())
    expect(new Set(first).size).toBe(4)
    expect(first).toEqual([...ids(await other.told()), ...ids(await other.told())])
    for (const id of first) expect(id).toMatch(/^evt_test_once_[\w-]{43}$/)
  })

  it('are published where the server has them already, with other bytes', async () => {
    const { runbell, server, lost } = world()
    server.reply = refuseAll(409, 'event_conflict')
    const run = runbell.run({ run_id: 'run_1' })
    expect(await run.started()).toMatchObject({ duplicate: true, event_id: expect.stringContaining('once_') })
    // What can be true again is a conflict like any other.
    expect(await run.waiting({ waiting_for: 'input' })).toBeNull()
    expect(lost).toEqual([['event_conflict', 'agent.run.waiting']])
  })

  it('are told apart by their attempt', async () => {
    const { runbell, told } = world()
    const run = runbell.run({ run_id: 'run_1' })
    for (const attempt of [1, 2]) {
      await run
        .tool({ name: 'x', tool_call_id: 'call_1', attempt }, () => Promise.reject(new Error()))
        .catch(() => undefined)
    }
    expect(new Set((await told()).map(({ event_id }) => event_id)).size).toBe(4)
  })
})
