import type { Actor } from '../../catalog/index.ts'
import type { Runbell } from '../../emit/index.ts'
import { RunReport, type ReportedCall, type ReportedRun } from '../run-report.ts'
import { modelFailure } from './failure.ts'
import type { HookInputLike, MessageLike } from './framework.ts'

/**
 * A query, told from hooks and messages.
 *
 *     (nothing) ── a prompt or a tool ──▶ running ── canUseTool asks ──▶ waiting ── it answers ──▶ running
 *     running ── result message, Stop, StopFailure, an exception ──▶ (nothing)
 */
export class QueryReport {
  readonly #runbell: Runbell
  readonly #run: ReportedRun
  readonly #by: Actor
  #report: RunReport | null = null
  /** The result message ends the run; hooks of it come before that. */
  #isWatched = false
  /** What it waits for beside people. */
  #tasks: string[] = []
  /** Calls that somebody is asked about. */
  readonly #asked = new Set<string>()

  constructor(runbell: Runbell, run: ReportedRun, by: Actor) {
    this.#runbell = runbell
    this.#run = run
    this.#by = by
  }

  watch(): void {
    this.#isWatched = true
  }

  hook(input: HookInputLike, toolUseId: string | undefined): void {
    const { hook_event_name: name, tool_name, tool_input, tool_use_id } = input
    const call = { id: tool_use_id ?? toolUseId ?? tool_name ?? 'call', name: tool_name, input: tool_input }
    const report = this.#begin()
    if (name === 'PostToolUse' || name === 'PostToolUseFailure') this.#decided(call, true)
    if (name === 'PostToolUse') {
      // A tool may still be refused after PreToolUse, so that its start is told when it has run.
      report.toolStarted(call)
      report.toolCompleted(call, input.tool_response)
    } else if (name === 'PostToolUseFailure') {
      report.toolStarted(call)
      const code = input.is_interrupt === true ? 'interrupted' : 'tool_error'
      report.toolFailed(call, report.run.errorOf(undefined, code))
    } else if (name === 'PermissionDenied' && !this.#decided(call, false))
      report.callDenied(call, { type: 'policy' }, 'rule')
    else if (name === 'Stop') this.#stop(input)
    else if (name === 'StopFailure' && !this.#isWatched) this.#fail(input.error)
  }

  asked(call: ReportedCall): void {
    const report = this.#begin()
    this.#asked.add(call.id)
    report.waiting('approval', [report.approvalRequested(call)])
  }

  answered(call: ReportedCall, approved: boolean): void {
    this.#decided(call, approved)
  }

  /** @returns whether somebody was asked about it */
  #decided(call: ReportedCall, approved: boolean): boolean {
    if (!this.#asked.delete(call.id)) return false
    const report = this.#begin()
    if (approved) report.approved(call, this.#by)
    else report.denied(call, this.#by)
    report.resumed('approval', [report.approvalId(call.id)])
    if (!approved) report.callDenied(call, this.#by)
    return true
  }

  message({ type, subtype, is_error: isError, result }: MessageLike): void {
    if (type !== 'result') return
    const report = this.#take()
    if (report === null) return
    const { run } = report
    if (subtype === 'error_max_turns') {
      report.partiallyCompleted('max_turns', run.errorOf(undefined, 'max_turns_exceeded'))
    } else if (subtype === 'error_max_budget_usd') {
      report.partiallyCompleted('budget', run.errorOf(undefined, 'budget_exceeded'))
    } else if (this.#run.signal?.aborted === true) report.cancelled()
    else if (subtype === 'error_max_structured_output_retries') report.failed(run.errorOf(undefined, 'invalid_output'))
    else if (subtype !== 'success') report.failed(run.errorOf(undefined, 'internal_error'))
    else if (isError === true) report.failed(modelFailure(run, undefined))
    else if (this.#tasks.length > 0) report.waiting('external_event', this.#tasks)
    else report.completed(result)
  }

  failed(exception: unknown): void {
    const report = this.#take()
    if (report === null) return
    const isAbort = exception instanceof Error && exception.name === 'AbortError'
    if (isAbort || this.#run.signal?.aborted === true) report.cancelled()
    else report.failed(report.run.errorOf(exception, 'internal_error'))
  }

  #stop({ background_tasks: tasks = [] }: HookInputLike): void {
    this.#tasks = tasks.map(({ id }) => id ?? 'task')
    if (this.#isWatched) return
    const report = this.#take()
    if (this.#tasks.length > 0) report?.waiting('external_event', this.#tasks)
    else report?.completed()
  }

  #fail(word: unknown): void {
    const report = this.#take()
    if (report === null) return
    const error = modelFailure(report.run, word)
    if (error.code === 'output_limit_exceeded') report.partiallyCompleted('output_limit', error)
    else report.failed(error)
  }

  #begin(): RunReport {
    if (this.#report !== null) return this.#report
    const report = new RunReport(this.#runbell, this.#run, { id: 'claude' })
    this.#report = report
    const { resumed_after: after } = this.#run
    if (this.#tasks.length > 0) report.resumed('external_event', this.#tasks)
    else if (after === undefined) report.started()
    else report.resumed(after, [])
    this.#tasks = []
    return report
  }

  #take(): RunReport | null {
    const report = this.#report
    this.#report = null
    return report
  }
}
