import type { Actor, EventError } from '../../catalog/index.ts'
import type { Runbell } from '../../emit/index.ts'
import { agentOf } from '../derived-id.ts'
import { RunReport, type ReportedCall, type ReportedRun } from '../run-report.ts'
import { safely } from '../safely.ts'
import { runFailure, toolFailure } from './failure.ts'
import { DEFAULT_TOOL_ERROR, notedError } from './tool-errors.ts'
import type {
  AgentLike,
  ApprovalItemLike,
  RunnerHooks,
  RunnerLike,
  RunResultLike,
  RunStateLike,
  SpanLike,
  ToolCallLike,
} from './framework.ts'

export interface OpenAIAgentsOptions {
  /**
   * The framework's own `getCurrentSpan`: it is what says that a tool failed. Without it, and where tracing is off, a failure is
   * known by the framework's default answer, or by `noteToolError`.
   */
  getCurrentSpan?: (() => SpanLike | null) | undefined
  /** Who decides about approvals. @default a user */
  decidedBy?: Actor | undefined
}

type Started = { stream?: boolean; signal?: AbortSignal } | undefined

/**
 * Tells what a runner does. Give each run a runner of its own; calls of `run` on it, one after the other, are that run: with an
 * input it starts, with a state it goes on. Results and exceptions are handed on as they are, and nothing waits for the network.
 * @returns the same runner
 */
export function reportRunner<Runner extends RunnerLike>(
  runner: Runner,
  runbell: Runbell,
  run: ReportedRun,
  options: OpenAIAgentsOptions = {},
): Runner {
  const telling = new RunnerReport(runbell, run, options)
  telling.listenTo(runner)
  const inner = runner.run.bind(runner) as (agent: AgentLike, input: unknown, how?: Started) => Promise<RunResultLike>
  const wrapped = async (agent: AgentLike, input: unknown, how?: Started): Promise<RunResultLike> => {
    safely(() => telling.begin(agent, input, how?.signal))
    const end = (result: RunResultLike) => safely(() => telling.end(result))
    const fail = (exception: unknown) => safely(() => telling.fail(exception))
    try {
      const result = await inner(agent, input, how)
      if (result.completed === undefined) end(result)
      else void result.completed.then(() => end(result), fail)
      return result
    } catch (exception) {
      fail(exception)
      throw exception
    }
  }
  return Object.assign(runner, { run: wrapped })
}

class RunnerReport {
  readonly #runbell: Runbell
  readonly #run: ReportedRun
  readonly #options: OpenAIAgentsOptions
  #report: RunReport | null = null
  #signal: AbortSignal | undefined

  constructor(runbell: Runbell, run: ReportedRun, options: OpenAIAgentsOptions) {
    this.#runbell = runbell
    this.#run = run
    this.#options = options
  }

  listenTo(runner: RunnerHooks): void {
    runner.on('agent_handoff', (_context, _from, to) => safely(() => this.#report?.handedOff(agentOf(to.name))))
    runner.on('agent_tool_start', (_context, _agent, tool, { toolCall }) =>
      safely(() => this.#report?.toolStarted(callOf(toolCall, tool.name))),
    )
    runner.on('agent_tool_end', (_context, _agent, tool, output, { toolCall }) =>
      safely(() => this.#toolEnded(callOf(toolCall, tool.name), toolCall, output)),
    )
  }

  #toolEnded(call: ReportedCall, toolCall: ToolCallLike, output: unknown): void {
    const error = this.#toolError(toolCall, output)
    if (error === null) this.#report?.toolCompleted(call, output)
    else this.#report?.toolFailed(call, error)
  }

  begin(agent: AgentLike, input: unknown, signal: AbortSignal | undefined): void {
    this.#signal = signal
    const state = isRunState(input) ? input : null
    this.#report = new RunReport(this.#runbell, this.#run, agentOf((state?.currentAgent ?? agent)?.name))
    if (state === null) this.#report.started()
    else this.#resume(this.#report, state)
  }

  end(result: RunResultLike): void {
    const report = this.#report
    if (report === null) return
    const { interruptions = [] } = result
    if (interruptions.length > 0) {
      const approvals = interruptions.map((item) => report.approvalRequested(callOf(item.rawItem, item.toolName)))
      report.waiting('approval', approvals)
    } else if (result.cancelled === true || this.#signal?.aborted === true) report.cancelled()
    else report.completed(result.finalOutput)
  }

  fail(exception: unknown): void {
    const report = this.#report
    if (report === null) return
    if (this.#signal?.aborted === true) return report.cancelled()
    const error = runFailure(report.run, exception)
    if (error.code !== 'max_turns_exceeded') return report.failed(error)
    report.callsInterrupted()
    report.partiallyCompleted('max_turns', error)
  }

  /** Decisions leave no trace in any hook: they are read from the state that goes on. */
  #resume(report: RunReport, state: RunStateLike): void {
    const by = this.#options.decidedBy ?? { type: 'user' }
    const asked = state.getInterruptions()
    const decided = asked
      .map((item) => ({ call: callOf(item.rawItem, item.toolName), approved: decisionOf(state, item) }))
      .filter(({ approved }) => approved !== undefined)
    // It will stop at once, for the same.
    if (asked.length > 0 && decided.length === 0) return
    for (const { call, approved } of decided) {
      if (approved === true) report.approved(call, by)
      else report.denied(call, by)
    }
    const about = decided.map(({ call }) => report.approvalId(call.id))
    report.resumed(this.#run.resumed_after ?? (about.length === 0 ? 'operator' : 'approval'), about)
    for (const { call, approved } of decided) if (approved === false) report.callDenied(call, by)
  }

  #toolError(toolCall: ToolCallLike, output: unknown): EventError | null {
    const report = this.#report
    const noted = notedError(toolCall)
    const span = this.#options.getCurrentSpan?.()
    const failed = span?.spanData.type === 'function' ? span.error !== null : false
    if (report === null || (noted === null && !failed && output !== DEFAULT_TOOL_ERROR)) return null
    if (this.#signal?.aborted === true) return { ...report.run.errorOf(undefined, 'interrupted'), origin: 'platform' }
    return toolFailure(report.run, noted?.exception)
  }
}

function isRunState(input: unknown): input is RunStateLike {
  return typeof (input as Partial<RunStateLike> | null)?.getInterruptions === 'function'
}

function decisionOf(state: RunStateLike, { rawItem, toolName }: ApprovalItemLike): boolean | undefined {
  const callId = rawItem.callId ?? rawItem.id ?? ''
  return state['_context'].isToolApproved({ toolName: toolName ?? rawItem.name ?? '', callId })
}

function callOf(raw: ToolCallLike, name: string | undefined): ReportedCall {
  return { id: raw.callId ?? raw.id ?? 'call', name: name ?? raw.name, input: parsed(raw.arguments) }
}

/** The input as the tool gets it; a model may have written no JSON. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
