import {
  Agent,
  getCurrentSpan,
  getGlobalTraceProvider,
  Runner,
  RunState,
  setTraceProcessors,
  setTracingDisabled,
  tool,
} from '@openai/agents-core'
import {
  assistantMessage,
  functionCall,
  modelError,
  ScriptedModel,
  type ScriptedModelInput,
} from '@openai/agents-core/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { adapterPage, PLANTED } from '../../../test/event-table.ts'
import { noteToolError, reportRunner } from './index.ts'

const RUN = { run_id: 'run_8841' }
const page = adapterPage('openai-agents', RUN.run_id)
const done = [assistantMessage('Done.')]
const call = (id = 'call_1', name = 'refund') => functionCall(name, { order: '7781' }, { callId: id })
const planted = () => Promise.reject(Object.assign(new Error(`password ${PLANTED}`), { token: PLANTED }))

beforeAll(() => {
  // Off in tests unless somebody says otherwise; and nothing may go to where the framework sends traces.
  setTraceProcessors([])
  setTracingDisabled(false)
})
afterAll(async () => {
  setTracingDisabled(true)
  await getGlobalTraceProvider().shutdown()
  expect([...page.unseen]).toEqual([])
})

function world(script: ScriptedModelInput[], how: { more?: object; spans?: boolean } = {}) {
  const { runbell, server, told } = page.world()
  const model = new ScriptedModel(script)
  const runner = () =>
    reportRunner(new Runner({ model }), runbell, { ...RUN, ...how.more }, how.spans === false ? {} : { getCurrentSpan })
  return { runbell, server, runner, told }
}

function agentWith(execute: (...given: never[]) => unknown, more: object = {}) {
  const refund = tool({
    ...{ name: 'refund', description: 'Pays back.', parameters: z.object({ order: z.string() }) },
    execute: execute as () => string,
    ...more,
  })
  return new Agent({ name: 'Refund agent', tools: [refund] })
}
const paid = agentWith(() => 'paid')
const asking = (execute: () => unknown = () => 'paid') => agentWith(execute, { needsApproval: true })

describe('a run of OpenAI Agents', () => {
  it('completes, and hands on its result', async () => {
    const { runner, told, server } = world([[call()], done])
    const result = await runner().run(paid, `refund ${PLANTED}`)
    expect(result.finalOutput).toBe('Done.')
    await told('a tool is called and the run ends well')
    expect(server.posted()[0]?.agent).toEqual({ id: 'Refund-agent', name: 'Refund agent' })
  })

  it('tells input and output where it may', async () => {
    const { runner, server, runbell } = world([[call()], done], {
      more: { capture: ['tool_input', 'tool_output', 'output'] },
    })
    await runner().run(paid, 'refund')
    await runbell.flush()
    const said = server.posted().map(({ data }) => data)
    expect(said[1]).toMatchObject({ input: { order: '7781' } })
    expect(said[2]).toMatchObject({ output: 'paid' })
    expect(said[3]).toMatchObject({ output: 'Done.' })
  })

  it.each([true, false])('goes on after a tool that throws (spans: %s)', async (spans) => {
    const { runner, told } = world([[call()], done], { spans })
    await runner().run(agentWith(planted), 'refund')
    await told('a tool throws and the model goes on')
  })

  it('fails of a tool that throws without an errorFunction', async () => {
    const { runner, told } = world([[call()]])
    await expect(runner().run(agentWith(planted, { errorFunction: null }), 'refund')).rejects.toThrow(PLANTED)
    await told('a tool throws and the run fails of it')
  })

  it('knows the exception of a tool that says it', async () => {
    const { runner, told } = world([[call()], done], { spans: false })
    const late = () => Promise.reject(new DOMException(PLANTED, 'TimeoutError'))
    await runner().run(agentWith(late, { errorFunction: noteToolError(() => 'Later.') }), 'refund')
    await told('a tool times out, with noteToolError')
  })

  it('fails a call whose input does not fit', async () => {
    const { runner, told } = world([[functionCall('refund', { order: 7 }, { callId: 'call_1' })], done])
    await runner().run(paid, 'refund')
    await told('the model calls a tool with a wrong input')
  })

  it('tells apart calls that run beside each other', async () => {
    const { runner, told } = world([[call('call_1'), call('call_2', 'look_up')], done])
    const lookUp = tool({
      ...{ name: 'look_up', description: 'Finds.', parameters: z.object({ order: z.string() }) },
      execute: async () => {
        for (let turn = 0; turn < 50; turn++) await Promise.resolve()
        return 'found'
      },
    })
    const agent = agentWith(planted)
    agent.tools.push(lookUp)
    await runner().run(agent, 'refund')
    await told('two tools at once, one fails')
  })

  it('fails with its model', async () => {
    const { runner, told } = world([modelError(Object.assign(new Error(PLANTED), { status: 503, headers: PLANTED }))])
    await expect(runner().run(paid, 'refund')).rejects.toThrow(PLANTED)
    await told('the model fails')
  })

  it('is rejected where the model refuses', async () => {
    const refusal = { ...assistantMessage(''), content: [{ type: 'refusal' as const, refusal: PLANTED }] }
    const { runner, told } = world([[refusal]])
    await expect(runner().run(paid, 'refund')).rejects.toThrow(PLANTED)
    await told('the model refuses')
  })

  it('is rejected by a guardrail', async () => {
    const { runner, told } = world([done])
    const guard = { name: 'no', execute: () => Promise.resolve({ tripwireTriggered: true, outputInfo: PLANTED }) }
    await expect(runner().run(new Agent({ name: 'Guarded', inputGuardrails: [guard] }), 'x')).rejects.toThrow(
      'guardrail',
    )
    await told('a guardrail stops the run')
  })

  it('is handed off', async () => {
    const { runner, told, server } = world([[call('call_h', 'transfer_to_Billing')], done])
    const first = Agent.create({ name: 'Front', handoffs: [new Agent({ name: 'Billing' })] })
    await runner().run(first, 'refund')
    await told('another agent takes over')
    expect(server.posted().map(({ agent }) => agent.id)).toEqual(['Front', 'Front', 'Billing'])
  })

  it('is cut off after its turns', async () => {
    const { runner, told } = world([[call()], [call('call_2')]])
    await expect(runner().run(paid, 'refund', { maxTurns: 1 })).rejects.toThrow('Max turns')
    await told('more turns than maxTurns')
  })

  it('is cancelled where its signal says so', async () => {
    const { runner, told } = world([[call()], done])
    const stop = new AbortController()
    const stuck = agentWith(() => {
      stop.abort()
      throw stop.signal.reason
    })
    await expect(runner().run(stuck, 'refund', { signal: stop.signal })).rejects.toThrow('abort')
    await told('aborted in the middle of a tool')
  })
})

describe('approvals of OpenAI Agents', () => {
  /** As another process finds it: from its text, with agents and runners of its own. */
  async function paused(): Promise<{ text: string; approval: unknown }> {
    const { runner, told, server } = world([[call()]])
    const { state, interruptions } = await runner().run(asking(), 'refund')
    expect(interruptions).toHaveLength(1)
    await told('approval is needed')
    const [, requested, waiting] = server.posted()
    expect(requested?.data).toMatchObject({ tool: { name: 'refund' }, summary_source: 'template', kind: 'tool_call' })
    expect(waiting?.data['approval_ids']).toEqual([requested?.data['approval_id']])
    expect(JSON.stringify(requested)).not.toContain('7781')
    return { text: state.toString(), approval: requested?.data['approval_id'] }
  }

  it.each([
    ['approved, in another process', true],
    ['denied, in another process', false],
  ])('%s', async (what, approved) => {
    const { text, approval } = await paused()
    const other = world([done])
    const agent = asking()
    const state = await RunState.fromString(agent, text)
    const [item] = state.getInterruptions()
    if (item === undefined) throw new Error('nothing to decide')
    if (approved) state.approve(item)
    else state.reject(item, { message: PLANTED })
    await other.runner().run(agent, state)
    await other.told(what)
    expect(other.server.posted()[0]?.data).toMatchObject({ approval_id: approval, decided_by: { type: 'user' } })
  })

  it('are told once, however often somebody goes on without a decision', async () => {
    const { runner, told } = world([[call()]])
    const first = runner()
    const { state } = await first.run(asking(), 'refund')
    await first.run(asking(), state)
    await told('approval is needed')
  })
})

describe('streamed runs of OpenAI Agents', () => {
  it.each([
    ['streamed, with a tool', paid, [[call()], done]],
    ['streamed, and the model fails', paid, [modelError(Object.assign(new Error(PLANTED), { status: 500 }))]],
    ['streamed, and approval is needed', asking(), [[call()]]],
  ])('%s', async (what, agent, script) => {
    const { runner, told } = world(script)
    const result = await runner().run(agent, 'refund', { stream: true })
    const read = async () => {
      const kinds = []
      for await (const { type } of result) kinds.push(type)
    }
    await Promise.allSettled([read(), result.completed])
    await told(what)
  })
})

it('a run goes on while the server is away, and its events arrive when it is back', async () => {
  const arrived = await page.whileAway(async (runbell) => {
    const runner = reportRunner(new Runner({ model: new ScriptedModel([[call()], done]) }), runbell, RUN, {
      getCurrentSpan,
    })
    await expect(runner.run(paid, 'refund')).resolves.toMatchObject({ finalOutput: 'Done.' })
  })
  expect(arrived).toEqual(page.table.get('a tool is called and the run ends well'))
})

it('is not held up by a reporter that breaks', async () => {
  const { runbell } = page.world()
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const broken = Object.assign(Object.create(runbell) as typeof runbell, {
    run: () => {
      throw new Error(PLANTED)
    },
  })
  const runner = reportRunner(new Runner({ model: new ScriptedModel([[call()], done]) }), broken, RUN)
  await expect(runner.run(paid, 'refund')).resolves.toMatchObject({ finalOutput: 'Done.' })
  expect(warn).toHaveBeenCalledWith('Runbell could not tell an event:', 'Error')
  warn.mockRestore()
})
