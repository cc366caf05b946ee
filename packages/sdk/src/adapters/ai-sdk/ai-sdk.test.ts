import {
  APICallError,
  generateText,
  hasToolCall,
  isStepCount,
  RetryError,
  streamText,
  tool,
  type ModelMessage,
} from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { adapterPage, PLANTED } from '../../../test/event-table.ts'
import { reportTelemetry, type AiSdkOptions } from './index.ts'

const RUN = { run_id: 'run_8841' }
const page = adapterPage('ai-sdk', RUN.run_id)
afterAll(() => expect([...page.unseen]).toEqual([]))

type Content =
  | { type: 'text'; text: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string }
type Reason = 'stop' | 'tool-calls' | 'length' | 'content-filter'
type Step = { content: Content[]; reason: Reason } | Error

const done: Step = { content: [{ type: 'text', text: 'Done.' }], reason: 'stop' }
const part = (toolCallId = 'call_1', toolName = 'refund', input = '{"order":"7781"}') =>
  ({ type: 'tool-call', toolCallId, toolName, input }) as const
const calls = (...content: Content[]): Step => ({ content, reason: 'tool-calls' })
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const failure = (statusCode: number) =>
  new APICallError({
    ...{
      message: PLANTED,
      url: `https://${PLANTED}`,
      requestBodyValues: { PLANTED },
      statusCode,
      responseBody: PLANTED,
    },
    isRetryable: false,
  })

type StreamPart =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never

/** A model that gives what is written, step by step, streamed or whole. */
function scripted(steps: Step[]) {
  const left = [...steps]
  const next = async () => {
    await Promise.resolve()
    const step = left.shift() ?? done
    if (step instanceof Error) throw step
    return { content: step.content, finishReason: { unified: step.reason, raw: undefined }, usage, warnings: [] }
  }
  return new MockLanguageModelV4({
    doGenerate: next,
    doStream: async () => {
      const { content, finishReason } = await next()
      const parts = content.flatMap((one): StreamPart[] => {
        if (one.type === 'tool-call') return [one]
        const id = '0'
        return [
          { type: 'text-start', id },
          { type: 'text-delta', id, delta: one.text },
          { type: 'text-end', id },
        ]
      })
      const end = { type: 'finish' as const, finishReason, usage }
      const chunks = [{ type: 'stream-start' as const, warnings: [] }, ...parts, end]
      return { stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) }
    },
  })
}

const planted = () => Promise.reject(Object.assign(new Error(`password ${PLANTED}`), { token: PLANTED }))
const inputSchema = z.object({ order: z.string() })
const refund = (execute: () => unknown = () => 'paid') => ({ refund: tool({ inputSchema, execute }) })

function world(steps: Step[], options: AiSdkOptions = {}, more: object = {}) {
  const { told, runbell, server } = page.world()
  const telemetry = () => ({ integrations: reportTelemetry(runbell, { ...RUN, ...more }, options) })
  const base = () => ({ model: scripted(steps), telemetry: telemetry(), stopWhen: isStepCount(5), maxRetries: 0 })
  return { told, server, runbell, base, prompt: `refund ${PLANTED}` }
}

describe('a run of the AI SDK', () => {
  it('completes, and hands on its result', async () => {
    const { base, prompt, told } = world([calls(part()), done])
    const { text } = await generateText({ ...base(), prompt, tools: refund() })
    expect(text).toBe('Done.')
    await told('a tool is called and the run ends well')
  })

  it('tells input and output where it may', async () => {
    const { base, prompt, server, runbell } = world(
      [calls(part()), done],
      {},
      { capture: ['tool_input', 'tool_output', 'output'] },
    )
    await generateText({ ...base(), prompt, tools: refund() })
    await runbell.flush()
    const said = server.posted().map(({ data }) => data)
    expect(said[1]).toMatchObject({ input: { order: '7781' } })
    expect(said[2]).toMatchObject({ output: 'paid' })
    expect(said[3]).toMatchObject({ output: 'Done.' })
  })

  it.each([
    ['a tool throws and the model goes on', planted],
    ['a tool times out', () => Promise.reject(new DOMException(PLANTED, 'TimeoutError'))],
  ])('%s', async (what, execute) => {
    const { base, prompt, told } = world([calls(part()), done])
    await generateText({ ...base(), prompt, tools: refund(execute) })
    await told(what)
  })

  it('fails a call whose input does not fit', async () => {
    const { base, prompt, told } = world([calls(part('call_1', 'refund', '{"order":7}')), done])
    await generateText({ ...base(), prompt, tools: refund() })
    await told('the model calls a tool with a wrong input')
  })

  it('tells apart calls that run beside each other', async () => {
    const { base, prompt, told } = world([calls(part(), part('call_2', 'look_up')), done])
    const execute = async () => {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve()
      return 'found'
    }
    await generateText({ ...base(), prompt, tools: { ...refund(planted), look_up: tool({ inputSchema, execute }) } })
    await told('two tools at once, one fails')
  })

  it.each([
    ['the model fails', failure(503)],
    [
      'the model is asked too often',
      new RetryError({ message: PLANTED, reason: 'maxRetriesExceeded', errors: [failure(429)] }),
    ],
  ])('%s', async (what, error) => {
    const { base, prompt, told } = world([error])
    await expect(generateText({ ...base(), prompt })).rejects.toThrow(PLANTED)
    await told(what)
  })

  it.each([
    ['the answer is cut off', 'length'],
    ['the answer is filtered', 'content-filter'],
  ] as const)('%s', async (what, reason) => {
    const { base, prompt, told } = world([{ content: [{ type: 'text', text: 'Do' }], reason }])
    await generateText({ ...base(), prompt })
    await told(what)
  })

  it('runs out of steps', async () => {
    const { base, prompt, told } = world([calls(part()), done])
    await generateText({ ...base(), prompt, tools: refund(), stopWhen: isStepCount(1) })
    await told('more steps than stopWhen allows')
  })

  it('is completed by a tool that is its answer', async () => {
    const { base, prompt, told } = world([calls(part()), done], { finalTools: ['refund'] })
    await generateText({ ...base(), prompt, tools: refund(), stopWhen: hasToolCall('refund') })
    await told('stopped by a tool that is the answer')
  })

  it('is cancelled where its signal says so', async () => {
    const { base, prompt, told } = world([calls(part()), done])
    const stop = new AbortController()
    const execute = () => {
      stop.abort()
      throw stop.signal.reason
    }
    await expect(generateText({ ...base(), prompt, tools: refund(execute), abortSignal: stop.signal })).rejects.toThrow(
      'abort',
    )
    await told('aborted in the middle of a tool')
  })
})

describe('approvals of the AI SDK', () => {
  const asking = { toolApproval: { refund: 'user-approval' as const } }

  async function paused(tools = refund()) {
    const { base, told, server } = world([calls(part())])
    const messages: ModelMessage[] = [{ role: 'user', content: 'refund' }]
    const { response, content } = await generateText({ ...base(), ...asking, messages, tools })
    await told('approval is needed')
    const [, requested, waiting] = server.posted()
    expect(waiting?.data['approval_ids']).toEqual([requested?.data['approval_id']])
    expect(JSON.stringify(requested)).not.toContain('7781')
    const asked = content.find(({ type }) => type === 'tool-approval-request') as { approvalId: string } | undefined
    return { messages: [...messages, ...response.messages], approvalId: asked?.approvalId ?? '', told: requested?.data }
  }

  it.each([
    ['approved, in another process', true],
    ['denied, in another process', false],
  ])('%s', async (what, approved) => {
    const { messages, approvalId, told } = await paused()
    const other = world([done])
    const answer = { type: 'tool-approval-response' as const, approvalId, approved, reason: PLANTED }
    // As another process finds it: from its text.
    const text = JSON.stringify([...messages, { role: 'tool', content: [answer] }])
    await generateText({ ...other.base(), ...asking, messages: JSON.parse(text) as ModelMessage[], tools: refund() })
    await other.told(what)
    expect(other.server.posted()[0]?.data).toMatchObject({ approval_id: told?.['approval_id'] })
  })

  it('are not needed where a rule denies', async () => {
    const { base, prompt, told } = world([calls(part()), done])
    await generateText({ ...base(), prompt, toolApproval: { refund: 'denied' }, tools: refund() })
    await told('denied by a rule')
  })

  it('are none where the application runs the tool', async () => {
    const first = world([calls(part())])
    const messages: ModelMessage[] = [{ role: 'user', content: 'refund' }]
    const tools = { refund: tool({ inputSchema, outputSchema: z.string() }) }
    const { response } = await generateText({ ...first.base(), messages, tools })
    await first.told('the application is to run a tool itself')
    const output = { type: 'text' as const, value: PLANTED }
    const result = { type: 'tool-result' as const, toolCallId: 'call_1', toolName: 'refund', output }
    const other = world([done])
    await generateText({
      ...{ ...other.base(), tools },
      messages: [...messages, ...response.messages, { role: 'tool', content: [result] }],
    })
    await other.told('it has run it, in another process')
  })
})

describe('streamed runs of the AI SDK', () => {
  it.each([
    ['streamed, with a tool', [calls(part()), done], {}],
    ['streamed, and the model fails', [failure(500)], {}],
    ['streamed, and approval is needed', [calls(part())], { toolApproval: { refund: 'user-approval' as const } }],
  ])('%s', async (what, steps: Step[], more) => {
    const { base, prompt, told } = world(steps)
    const result = streamText({ ...base(), ...more, prompt, tools: refund(), onError: () => undefined })
    await result.consumeStream()
    await told(what)
  })

  it('are cancelled', async () => {
    const { base, prompt, told } = world([done])
    const stop = new AbortController()
    const result = streamText({ ...base(), prompt, abortSignal: stop.signal, onChunk: () => stop.abort() })
    await result.consumeStream()
    await told('streamed, and aborted')
  })
})

it('a run goes on while the server is away, and its events arrive when it is back', async () => {
  const arrived = await page.whileAway(async (runbell) => {
    const telemetry = { integrations: reportTelemetry(runbell, RUN) }
    const model = scripted([calls(part()), done])
    const { text } = await generateText({ model, telemetry, prompt: 'x', tools: refund(), stopWhen: isStepCount(5) })
    expect(text).toBe('Done.')
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
  const telemetry = { integrations: reportTelemetry(broken, RUN) }
  const { text } = await generateText({ model: scripted([done]), telemetry, prompt: 'x' })
  expect(text).toBe('Done.')
  expect(warn).toHaveBeenCalledWith('Runbell could not tell an event:', 'Error')
  warn.mockRestore()
})
