import { afterAll, describe, expect, it, vi } from 'vitest'
import { adapterPage, PLANTED } from '../../../test/event-table.ts'
import type { HookInputLike, MessageLike } from './framework.ts'
import { reportQuery } from './index.ts'

const RUN = { run_id: 'run_8841' }
const page = adapterPage('claude-agent', RUN.run_id)
afterAll(() => expect([...page.unseen]).toEqual([]))

/** What every hook gets. */
const base = { session_id: 's_1', transcript_path: `/home/${PLANTED}.jsonl`, cwd: `/home/${PLANTED}` }
const call = { tool_name: 'Bash', tool_input: { command: PLANTED }, tool_use_id: 'toolu_1' }
const prompt = { ...base, hook_event_name: 'UserPromptSubmit', prompt: PLANTED }
const before = { ...base, ...call, hook_event_name: 'PreToolUse' }
const after = { ...base, ...call, hook_event_name: 'PostToolUse', tool_response: { stdout: PLANTED }, duration_ms: 7 }
const broken = { ...base, ...call, hook_event_name: 'PostToolUseFailure', error: `password ${PLANTED}` }
const refused = { ...base, ...call, hook_event_name: 'PermissionDenied', reason: PLANTED }
const stop = { ...base, hook_event_name: 'Stop', stop_hook_active: false, last_assistant_message: PLANTED }
const stopFailure = (error: string) => ({ ...base, hook_event_name: 'StopFailure', error, error_details: PLANTED })
const result = (subtype: string, more: Partial<MessageLike> = {}): MessageLike => ({
  ...{ type: 'result', subtype, is_error: subtype !== 'success', result: PLANTED },
  ...more,
})

/** What the program does: calls hooks, asks, says messages. */
type Step = HookInputLike | MessageLike | Error | 'ask'

type Reported = ReturnType<typeof reportQuery>

async function* program(steps: readonly Step[], { hooks, canUseTool }: Reported, behavior: string) {
  const ask = canUseTool((_tool: string, _input: object, _context: { toolUseID: string }) =>
    Promise.resolve(behavior === 'none' ? null : { behavior, message: PLANTED }),
  )
  for (const step of steps) {
    if (step instanceof Error) throw step
    if (step === 'ask') await ask('Bash', call.tool_input, { toolUseID: 'toolu_1' })
    else if ('type' in step) yield step
    else {
      const given = hooks[step.hook_event_name]?.flatMap((matcher) => matcher.hooks) ?? []
      for (const hook of given) expect(await hook(step, undefined)).toEqual({})
    }
  }
}

async function read(messages: AsyncGenerator): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const message of messages) seen.push(message)
  return seen
}

const done = [stop, result('success')]
describe('a query of the Claude Agent SDK', () => {
  it.each<[string, Step[], string?]>([
    ['a tool is called and the run ends well', [prompt, before, after, ...done]],
    ['a tool fails and the model goes on', [prompt, before, broken, ...done]],
    ['a tool is interrupted', [prompt, before, { ...broken, is_interrupt: true }, ...done]],
    ['asked, and approved', [prompt, before, 'ask', after, ...done], 'allow'],
    ['asked, and denied', [prompt, before, 'ask', ...done], 'deny'],
    ['asked, and approved', [prompt, before, 'ask', after, ...done], 'none'],
    ['asked, and denied', [prompt, before, 'ask', refused, ...done], 'none'],
    ['denied by a rule', [prompt, before, refused, ...done]],
    ['background tasks remain', [prompt, { ...stop, background_tasks: [{ id: 'task_1' }] }, result('success')]],
    ['more turns than maxTurns', [prompt, result('error_max_turns')]],
    ['more money than maxBudgetUsd', [prompt, result('error_max_budget_usd')]],
    ['the model fails', [prompt, stopFailure('server_error'), result('success', { is_error: true })]],
    ['the program fails', [prompt, result('error_during_execution')]],
  ])('%s', async (what, steps, behavior = 'allow') => {
    const { runbell, told } = page.world()
    const reported = reportQuery(runbell, RUN)
    const messages = await read(reported.watch(program(steps, reported, behavior)))
    expect(messages).toEqual(steps.filter((step) => typeof step === 'object' && 'type' in step))
    await told(what)
  })

  it.each<[string, Step[]]>([
    ['a tool is called and the run ends well', [prompt, before, after, stop]],
    ['the model is overloaded, not watched', [prompt, stopFailure('overloaded')]],
    ['the answer is cut off, not watched', [prompt, stopFailure('max_output_tokens')]],
  ])('ends without being watched: %s', async (what, steps) => {
    const { runbell, told } = page.world()
    const reported = reportQuery(runbell, RUN)
    await read(program(steps, reported, 'allow'))
    await told(what)
  })

  it.each<[string, Error, string]>([
    ['aborted', new DOMException(PLANTED, 'AbortError'), 'aborted'],
    ['the program fails', Object.assign(new Error(PLANTED), { stderr: PLANTED }), 'the program fails'],
  ])('hands on what it throws: %s', async (_name, exception, what) => {
    const { runbell, told } = page.world()
    const reported = reportQuery(runbell, RUN)
    await expect(read(reported.watch(program([prompt, exception], reported, 'allow')))).rejects.toBe(exception)
    await told(what)
  })

  it('goes on when its tasks have ended', async () => {
    const { runbell, told } = page.world()
    const reported = reportQuery(runbell, RUN)
    const first = [prompt, { ...stop, background_tasks: [{ id: 'task_1' }] }, result('success')]
    await read(reported.watch(program(first, reported, 'allow')))
    await read(reported.watch(program([prompt, ...done], reported, 'allow')))
    await told('they end, in another query')
  })

  it('goes on in another process', async () => {
    const { runbell, told } = page.world()
    const reported = reportQuery(runbell, { ...RUN, resumed_after: 'operator' })
    await read(reported.watch(program([prompt, ...done], reported, 'allow')))
    await told('gone on with, in another process')
  })

  it('tells input and output where it may', async () => {
    const { runbell, server } = page.world()
    const reported = reportQuery(runbell, { ...RUN, capture: ['tool_input', 'tool_output', 'output'] })
    const steps = [prompt, { ...after, tool_input: { command: 'ls' }, tool_response: 'a.txt' }, stop]
    await read(reported.watch(program([...steps, result('success', { result: 'Done.' })], reported, 'allow')))
    await runbell.flush()
    const said = server.posted().map(({ data }) => data)
    expect(said[1]).toMatchObject({ input: { command: 'ls' } })
    expect(said[2]).toMatchObject({ output: 'a.txt' })
    expect(said[3]).toMatchObject({ output: 'Done.' })
  })

  it('goes on while the server is away, and its events arrive when it is back', async () => {
    const arrived = await page.whileAway(async (runbell) => {
      const reported = reportQuery(runbell, RUN)
      expect(await read(reported.watch(program([prompt, before, after, ...done], reported, 'allow')))).toHaveLength(1)
    })
    expect(arrived).toEqual(page.table.get('a tool is called and the run ends well'))
  })

  it('is not held up by a reporter that breaks', async () => {
    const { runbell } = page.world()
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const reporter = Object.assign(Object.create(runbell) as typeof runbell, {
      run: () => {
        throw new Error(PLANTED)
      },
    })
    const reported = reportQuery(reporter, RUN)
    expect(await read(reported.watch(program([prompt, 'ask', after, ...done], reported, 'allow')))).toHaveLength(1)
    expect(warn).toHaveBeenCalledWith('Runbell could not tell an event:', 'Error')
    warn.mockRestore()
  })
})
