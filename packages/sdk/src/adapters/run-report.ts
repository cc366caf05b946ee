import type { Actor, ErrorCode, EventDataByType, EventError } from '../catalog/index.ts'
import type { Agent } from '../contract/index.ts'
import type { Run, RunOptions, Runbell, ToolCall } from '../emit/index.ts'
import { approvalIdOf, derivedId, plainName, producerId } from './derived-id.ts'

/** The run as the application knows it. */
export interface ReportedRun extends RunOptions {
  /** The application's own id: the same over pause, resume and process change. */
  run_id: string
}

/** A tool call as a framework tells it. */
export interface ReportedCall {
  id: string
  name: string | undefined
  input?: unknown
  /** The framework names the call only here: it is no `tool_call_id`. */
  unnamed?: boolean
}

/** `agent.run.waiting` lists at most this many approvals. */
const MAX_APPROVALS = 50

/**
 * One run, told from a framework's callbacks. Nothing here waits, and nothing throws: a callback that throws would fail the
 * agent. Facts that come twice have the same id.
 */
export class RunReport {
  readonly run: Run
  readonly #runbell: Runbell
  readonly #calls = new Map<string, ToolCall>()

  constructor(runbell: Runbell, options: ReportedRun, agent?: Agent) {
    this.#runbell = runbell
    this.run = runbell.run({ ...options, agent: options.agent ?? agent })
  }

  started(): void {
    this.#tell(this.run.started())
  }

  /** @param about what made it go on: the same, told by two processes, is published once */
  resumed(after: EventDataByType['agent.run.resumed']['resumed_after'], about: readonly string[]): void {
    this.#once('agent.run.resumed', { status: 'running', resumed_after: after }, derivedId('resume', ...about))
  }

  /** @param about what it waits for: waiting for the same again is no new fact */
  waiting(reason: EventDataByType['agent.run.waiting']['waiting_for'], about: readonly string[]): void {
    const approvals = reason === 'approval' && about.length > 0 ? { approval_ids: about.slice(0, MAX_APPROVALS) } : {}
    this.#once(
      'agent.run.waiting',
      { status: 'waiting', waiting_for: reason, ...approvals },
      derivedId('wait', ...about),
    )
  }

  handedOff(to: Agent): void {
    this.#tell(this.run.handedOff(to))
  }

  toolStarted(call: ReportedCall): void {
    if (this.#calls.has(call.id)) return
    const told = this.#call(call)
    this.#calls.set(call.id, told)
    this.#tell(told.started(this.#input(call)))
  }

  toolCompleted(call: ReportedCall, output?: unknown): void {
    const captured = this.run.captures('tool_output') && output !== undefined ? { output } : {}
    this.#tell(this.#ended(call).completed(captured))
  }

  toolFailed(call: ReportedCall, error: EventError): void {
    this.#tell(this.#ended(call).failed({ origin: 'tool', ...error }, this.#input(call)))
  }

  /** Tool calls that were under way when everything stopped, and of which nothing more will be heard. */
  callsInterrupted(code: ErrorCode = 'interrupted'): void {
    for (const [id, call] of this.#calls) {
      this.#tell(call.failed({ ...this.run.errorOf(undefined, code), origin: 'platform', side_effects: 'unknown' }))
      this.#calls.delete(id)
    }
  }

  /** Tells that a call needs a decision. Returns the approval's id. */
  approvalRequested(call: ReportedCall): string {
    const name = plainName(call.name, 'tool')
    const id = this.approvalId(call.id)
    const { published } = this.run.approval.request({
      approval_id: id,
      ...callIdOf(call),
      tool: name,
      summary: `The agent asks to call the tool ${[...name].slice(0, 200).join('')}.`,
      summary_source: 'template',
      input: call.input,
      include_input: this.run.captures('tool_input'),
    })
    this.#tell(published)
    return id
  }

  approvalId(toolCallId: string): string {
    return approvalIdOf(this.run.run_id, toolCallId)
  }

  approved(call: ReportedCall, by: Actor): void {
    const binding = this.#bindingOf(call)
    this.#decided('approved', call, { decided_by: by, ...(binding === undefined ? {} : { input_binding: binding }) })
  }

  denied(call: ReportedCall, by: Actor): void {
    this.#decided('denied', call, { decided_by: by })
  }

  /** The call was refused and does not run. */
  callDenied(call: ReportedCall, by: Actor, approved: 'approval' | 'rule' = 'approval'): void {
    const approval = approved === 'approval' ? { approval_id: this.approvalId(call.id) } : {}
    this.#calls.delete(call.id)
    this.#tell(this.#call(call).denied({ denied_by: by, ...approval }))
  }

  completed(output?: unknown): void {
    this.#tell(this.run.completed(this.run.captures('output') && output !== undefined ? { output } : {}))
  }

  partiallyCompleted(reason: EventDataByType['agent.run.partially_completed']['reason'], error?: EventError): void {
    this.#tell(this.run.partiallyCompleted({ reason, ...(error === undefined ? {} : { error }) }))
  }

  failed(error: EventError): void {
    this.callsInterrupted()
    this.#tell(this.run.failed(error))
  }

  cancelled(): void {
    this.callsInterrupted()
    this.#tell(this.run.cancelled())
  }

  #decided(how: 'approved' | 'denied', call: ReportedCall, data: { decided_by: Actor; input_binding?: string }): void {
    const id = this.approvalId(call.id)
    const told = { approval_id: id, status: how, ...callIdOf(call), ...data }
    this.#once(`agent.approval.${how}`, told, id)
  }

  #call({ id, name }: ReportedCall): ToolCall {
    return this.run.toolCall({ tool_call_id: producerId('call', id), name: plainName(name, 'tool') })
  }

  #ended(call: ReportedCall): ToolCall {
    const told = this.#calls.get(call.id) ?? this.#call(call)
    this.#calls.delete(call.id)
    return told
  }

  #input({ input }: ReportedCall): { input?: unknown } {
    return this.run.captures('tool_input') && input !== undefined ? { input } : {}
  }

  #bindingOf(call: ReportedCall): string | undefined {
    const { id, name, input } = call
    if (input === undefined) return undefined
    try {
      const bound = { ...callIdOf(call), tool: plainName(name, 'tool'), input }
      return this.#runbell.approvals.bindingOf({ approval_id: this.approvalId(id), ...bound })
    } catch {
      // No keys to bind with, or no JSON.
      return undefined
    }
  }

  #once(type: keyof EventDataByType, data: Record<string, unknown>, about: string): void {
    this.#tell(this.run.emit(type, { data } as never, { once: { child_id: about } }))
  }

  #tell(fact: Promise<unknown>): void {
    // Only a strict Runbell rejects, and then tells nobody else. The agent is not to fail of it.
    // oxlint-disable-next-line no-console -- nobody else hears of it
    fact.catch((error: unknown) => console.warn('Runbell lost an event:', error instanceof Error ? error.message : ''))
  }
}

function callIdOf({ id, unnamed }: ReportedCall): { tool_call_id?: string } {
  return unnamed === true ? {} : { tool_call_id: producerId('call', id) }
}
