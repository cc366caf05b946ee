import type { Actor } from '../../catalog/index.ts'
import type { Runbell } from '../../emit/index.ts'
import { RunReport, type ReportedRun } from '../run-report.ts'
import { safely } from '../safely.ts'
import { answersIn, callOf } from './decisions.ts'
import { runFailure, toolFailure } from './failure.ts'
import type { EndLike, PartLike, StartLike, StepLike, ToolEndLike, ToolStartLike } from './framework.ts'

export interface AiSdkOptions {
  /** Who decides about approvals. @default a user */
  decidedBy?: Actor | undefined
  /**
   * Tools that end the run on purpose, such as `answer` with `stopWhen: hasToolCall('answer')`: without it, a loop that was
   * stopped after a tool call is told as one that ran out of steps. @default none
   */
  finalTools?: readonly string[] | undefined
}

/** What is given to `telemetry.integrations`. */
export interface RunTelemetry {
  onStart(event: StartLike): void
  onToolExecutionStart(event: ToolStartLike): void
  onToolExecutionEnd(event: ToolEndLike): void
  onStepEnd(event: StepLike): void
  onEnd(event: EndLike): void
  onAbort(event: unknown): void
  onError(event: unknown): void
}

/**
 * Tells what `generateText`, `streamText` and agents made of them do. Give each run a telemetry of its own; calls with it, one
 * after the other, are that run: the first starts it, and one whose messages answer what it waited for goes on. Nothing waits.
 */
export function reportTelemetry(runbell: Runbell, run: ReportedRun, options: AiSdkOptions = {}): RunTelemetry {
  const telling = new TelemetryReport(runbell, run, options)
  return {
    onStart: (event) => safely(() => telling.begin(event)),
    onToolExecutionStart: ({ toolCall }) => safely(() => telling.report?.toolStarted(callOf(toolCall))),
    onToolExecutionEnd: (event) => safely(() => telling.toolEnded(event)),
    onStepEnd: ({ content = [] }) => safely(() => telling.stepEnded(content)),
    onEnd: (event) => safely(() => telling.end(event)),
    onAbort: () => safely(() => telling.take()?.cancelled()),
    onError: (event) => safely(() => telling.fail(event)),
  }
}

class TelemetryReport {
  /** Of the call under way. */
  report: RunReport | null = null
  readonly #runbell: Runbell
  readonly #run: ReportedRun
  readonly #options: AiSdkOptions

  constructor(runbell: Runbell, run: ReportedRun, options: AiSdkOptions) {
    this.#runbell = runbell
    this.#run = run
    this.#options = options
  }

  begin({ operationId, messages = [] }: StartLike): void {
    if (operationId !== 'ai.generateText' && operationId !== 'ai.streamText') return
    const report = new RunReport(this.#runbell, this.#run)
    this.report = report
    const { decided, results } = answersIn(messages)
    const by = this.#options.decidedBy ?? { type: 'user' }
    for (const { call, approved } of decided) {
      if (approved) report.approved(call, by)
      else report.denied(call, by)
    }
    const about = decided.map(({ call }) => report.approvalId(call.id))
    if (decided.length > 0) report.resumed(this.#run.resumed_after ?? 'approval', about)
    else if (results.length > 0) {
      report.resumed(
        this.#run.resumed_after ?? 'external_event',
        results.map(({ id }) => id),
      )
    } else if (this.#run.resumed_after === undefined) report.started()
    else report.resumed(this.#run.resumed_after, [])
    for (const { call, approved } of decided) if (!approved) report.callDenied(call, by)
  }

  toolEnded({ toolCall, toolOutput }: ToolEndLike): void {
    const { report } = this
    if (report === null) return
    const { type, error, output } = toolOutput
    if (type === 'tool-error') report.toolFailed(callOf(toolCall), toolFailure(report.run, error))
    else report.toolCompleted(callOf(toolCall), output)
  }

  /** What came of calls whose tool never ran. */
  stepEnded(content: readonly PartLike[]): void {
    const { report } = this
    if (report === null) return
    for (const { type, approved, invalid, toolCall, toolCallId, toolName, input, error } of content) {
      if (type === 'tool-approval-response' && approved === false && toolCall !== undefined) {
        report.callDenied(callOf(toolCall), { type: 'policy' }, 'rule')
      } else if (type === 'tool-call' && invalid === true && toolCallId !== undefined) {
        const call = callOf({ toolCallId, toolName, input })
        report.toolStarted(call)
        report.toolFailed(call, toolFailure(report.run, error))
      }
    }
  }

  end({ content = [], text, finishReason }: EndLike): void {
    const report = this.take()
    if (report === null) return
    const asked = content.filter(({ type, isAutomatic }) => type === 'tool-approval-request' && isAutomatic !== true)
    const open = openCalls(content)
    if (asked.length > 0) {
      const calls = asked.flatMap(({ toolCall }) => (toolCall === undefined ? [] : [callOf(toolCall)]))
      report.waiting(
        'approval',
        calls.map((call) => report.approvalRequested(call)),
      )
    } else if (finishReason === 'tool-calls' && !this.#isFinal(content)) {
      if (open.length > 0) report.waiting('external_event', open)
      else report.partiallyCompleted('max_turns', report.run.errorOf(undefined, 'max_turns_exceeded'))
    } else this.#finish(report, finishReason, text)
  }

  fail(event: unknown): void {
    const report = this.take()
    if (report === null) return
    const error = (event as { error?: unknown } | null)?.error ?? event
    // generateText has no onAbort; a timeout is no abort by anybody.
    if (nameOf(error) === 'AbortError' || this.#run.signal?.aborted === true) report.cancelled()
    else report.failed(runFailure(report.run, error))
  }

  /** The report, which hears nothing more: failures come more than once. */
  take(): RunReport | null {
    const { report } = this
    this.report = null
    return report
  }

  #finish(report: RunReport, finishReason: string | undefined, text: string | undefined): void {
    const { run } = report
    if (finishReason === 'length') {
      report.partiallyCompleted('output_limit', run.errorOf(undefined, 'output_limit_exceeded'))
    } else if (finishReason === 'content-filter') {
      report.partiallyCompleted('content_filter', run.errorOf(undefined, 'guardrail_blocked'))
    } else if (finishReason === 'error') report.failed({ ...run.errorOf(undefined, 'model_error'), origin: 'model' })
    else report.completed(text)
  }

  #isFinal(content: readonly PartLike[]): boolean {
    const { finalTools = [] } = this.#options
    return content.some(({ type, toolName = '' }) => type === 'tool-call' && finalTools.includes(toolName))
  }
}

/** Calls without a result: of tools that the application runs itself. */
function openCalls(content: readonly PartLike[]): string[] {
  const ended = content.filter(({ type }) => type === 'tool-result' || type === 'tool-error')
  const done = new Set(ended.map(({ toolCallId }) => toolCallId))
  return content.flatMap(({ type, toolCallId }) =>
    type === 'tool-call' && toolCallId !== undefined && !done.has(toolCallId) ? [toolCallId] : [],
  )
}

function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
}
