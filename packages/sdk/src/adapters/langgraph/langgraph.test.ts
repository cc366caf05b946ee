import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { adapterPage, PLANTED } from '../../../test/event-table.ts'
import { reportGraph } from './index.ts'

const RUN = { run_id: 'run_8841' }
const page = adapterPage('langgraph', RUN.run_id)
afterAll(() => expect([...page.unseen]).toEqual([]))

class ScriptedModel extends BaseChatModel {
  readonly #script: (AIMessage | Error)[]

  constructor(script: (AIMessage | Error)[]) {
    super({ maxRetries: 0 })
    this.#script = [...script]
  }

  override _llmType() {
    return 'scripted'
  }

  override _generate() {
    const next = this.#script.shift() ?? done
    if (next instanceof Error) return Promise.reject(next)
    return Promise.resolve({ generations: [{ message: next, text: '' }] })
  }
}

const done = new AIMessage('Done.')
const call = (id = 'call_1', name = 'refund') => ({ id, name, args: { order: '7781' } })
const calls = (...tool_calls: ReturnType<typeof call>[]) => new AIMessage({ content: '', tool_calls })
const planted = () => Promise.reject(Object.assign(new Error(`password ${PLANTED}`), { token: PLANTED }))
const request = { messages: [{ role: 'user', content: `refund ${PLANTED}` }] }
const failure = (status: number) => Object.assign(new Error(PLANTED), { status, headers: PLANTED })

interface Shape {
  script?: (AIMessage | Error)[]
  execute?: () => unknown
  /** What the node before the tools does; `false` skips them. */
  before?: () => boolean
  handleToolErrors?: boolean
  saver?: MemorySaver
}

/** The loop of an agent: a model, something before its tools, the tools. */
function graphOf({ script = [calls(call()), done], execute = () => 'paid', before, ...more }: Shape = {}) {
  const schema = z.object({ order: z.string() })
  const refund = tool(execute as () => string, { name: 'refund', description: 'Pays back.', schema })
  const slowly = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    return 'found'
  }
  const lookUp = tool(slowly, { name: 'look_up', description: 'Finds.', schema })
  const model = new ScriptedModel(script)
  let skip = false
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode('before', () => {
      skip = before?.() === false
      return {}
    })
    .addNode('tools', new ToolNode([refund, lookUp], { handleToolErrors: more.handleToolErrors ?? true }))
    .addEdge(START, 'model')
    .addConditionalEdges('model', ({ messages }) =>
      (messages.at(-1) as AIMessage).tool_calls?.length ? 'before' : END,
    )
    .addConditionalEdges('before', () => (skip ? END : 'tools'))
    .addEdge('tools', 'model')
  return graph.compile({ name: 'refunds', ...(more.saver === undefined ? {} : { checkpointer: more.saver }) })
}

function world(more: object = {}) {
  const { told, runbell, server } = page.world()
  const config = () => ({
    callbacks: [reportGraph(runbell, { ...RUN, ...more })],
    configurable: { thread_id: 'thread_8841' },
  })
  return { told, runbell, server, config }
}

describe('a run of LangGraph', () => {
  it('completes, and hands on its result', async () => {
    const { config, told, server } = world()
    const { messages } = await graphOf().invoke(request, config())
    expect(messages.at(-1)?.content).toBe('Done.')
    await told('a tool is called and the run ends well')
    expect(server.posted()[0]?.agent).toEqual({ id: 'refunds' })
  })

  it('tells input and output where it may', async () => {
    const { config, runbell, server } = world({ capture: ['tool_input', 'tool_output'] })
    await graphOf().invoke(request, config())
    await runbell.flush()
    expect(server.posted()[1]?.data).toMatchObject({ input: { order: '7781' } })
    expect(server.posted()[2]?.data).toMatchObject({ output: 'paid' })
  })

  it('goes on after a tool that throws', async () => {
    const { config, told } = world()
    await graphOf({ execute: planted }).invoke(request, config())
    await told('a tool throws and the model goes on')
  })

  it('fails of a tool that throws where nobody catches it', async () => {
    const { config, told } = world()
    const execute = () => Promise.reject(new DOMException(PLANTED, 'TimeoutError'))
    await expect(graphOf({ execute, handleToolErrors: false }).invoke(request, config())).rejects.toThrow(PLANTED)
    await told('a tool throws and the run fails of it')
  })

  it('tells apart calls that run beside each other', async () => {
    const { config, told } = world()
    await graphOf({ script: [calls(call(), call('call_2', 'look_up')), done], execute: planted }).invoke(
      request,
      config(),
    )
    await told('two tools at once, one fails')
  })

  it('fails with its model', async () => {
    const { config, told } = world()
    await expect(graphOf({ script: [failure(503)] }).invoke(request, config())).rejects.toThrow(PLANTED)
    await told('the model fails')
  })

  it('fails with a node', async () => {
    const { config, told } = world()
    const before = () => {
      throw new Error(PLANTED)
    }
    await expect(graphOf({ before }).invoke(request, config())).rejects.toThrow(PLANTED)
    await told('a node fails')
  })

  it('is cut off after its steps', async () => {
    const { config, told } = world()
    const script = [calls(call()), calls(call('call_2'))]
    await expect(graphOf({ script }).invoke(request, { ...config(), recursionLimit: 3 })).rejects.toThrow('Recursion')
    await told('more steps than recursionLimit')
  })

  it('is cancelled where its signal says so', async () => {
    const { config, told } = world()
    const stop = new AbortController()
    const execute = () => {
      stop.abort()
      throw stop.signal.reason
    }
    await expect(graphOf({ execute }).invoke(request, { ...config(), signal: stop.signal })).rejects.toThrow('bort')
    await told('aborted in the middle of a tool')
  })
})

describe('interrupts of LangGraph', () => {
  const ask = () => {
    const value = { actionRequests: [{ name: 'refund', args: { order: '7781' } }], reviewConfigs: [] }
    const { decisions } = interrupt(value) as { decisions: { type: string }[] }
    return decisions[0]?.type === 'approve'
  }

  it.each([
    ['approved, in another process', 'approve'],
    ['denied, in another process', 'reject'],
  ])('%s', async (what, type) => {
    const saver = new MemorySaver()
    const first = world()
    await graphOf({ before: ask, saver }).invoke(request, first.config())
    await first.told('approval is needed')
    const [, requested, waiting] = first.server.posted()
    expect(requested?.data).toMatchObject({ tool: { name: 'refund' }, kind: 'tool_call' })
    expect(requested?.data).not.toHaveProperty('tool_call_id')
    expect(waiting?.data['approval_ids']).toEqual([requested?.data['approval_id']])
    // Another process: nothing is shared but what the checkpointer holds.
    const other = world()
    const resume = { decisions: [{ type, message: PLANTED }] }
    await graphOf({ script: [done], before: ask, saver }).invoke(new Command({ resume }), other.config())
    await other.told(what)
    expect(other.server.posted()[0]?.data).toMatchObject({ approval_id: requested?.data['approval_id'] })
  })

  it.each([
    [
      'a node asks something else',
      'it is answered, in another process',
      { before: () => interrupt('How much?') === 'go' },
    ],
    ['a tool asks', 'the tool is answered, in another process', { execute: () => interrupt(PLANTED) }],
  ])('%s', async (asked, answered, shape: Shape) => {
    const saver = new MemorySaver()
    const first = world()
    await graphOf({ ...shape, saver }).invoke(request, first.config())
    await first.told(asked)
    const other = world()
    await graphOf({ ...shape, script: [done], saver }).invoke(new Command({ resume: PLANTED }), other.config())
    await other.told(answered)
  })

  it('a thread’s next run starts', async () => {
    const saver = new MemorySaver()
    const before = [calls(call('call_0')), new AIMessage('Before.')]
    await graphOf({ saver, script: before }).invoke(request, { configurable: { thread_id: 'thread_8841' } })
    const { config, told } = world()
    // Messages are told apart by their ids.
    const script = [calls(call()), new AIMessage('Done.')]
    await graphOf({ saver, script }).invoke(request, config())
    await told('a tool is called and the run ends well')
  })
})

it.each([
  ['streamed, with a tool', [calls(call()), done]],
  ['streamed, and the model fails', [failure(500)]],
])('%s', async (what, script) => {
  const { config, told } = world()
  const read = async () => {
    const chunks: unknown[] = []
    for await (const chunk of await graphOf({ script }).stream(request, config())) chunks.push(chunk)
  }
  await read().catch(() => undefined)
  await told(what)
})

it('a callback that comes twice tells once', async () => {
  const { runbell, told } = world()
  const callbacks = [reportGraph(runbell, RUN), reportGraph(runbell, RUN)]
  await graphOf().invoke(request, { callbacks })
  await told('a tool is called and the run ends well')
})

it('a run goes on while the server is away, and its events arrive when it is back', async () => {
  const arrived = await page.whileAway(async (runbell) => {
    const { messages } = await graphOf().invoke(request, { callbacks: [reportGraph(runbell, RUN)] })
    expect(messages.at(-1)?.content).toBe('Done.')
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
  const { messages } = await graphOf().invoke(request, { callbacks: [reportGraph(broken, RUN)] })
  expect(messages.at(-1)?.content).toBe('Done.')
  expect(warn).toHaveBeenCalledWith('Runbell could not tell an event:', 'Error')
  warn.mockRestore()
})
