import type { Actor, ErrorCode, EventDataByType, EventError } from '../../catalog/index.ts'
import type { Accepted, Agent } from '../../contract/index.ts'
import type { Approval } from '../approvals/approval.ts'
import type { ApprovalDecision, WaitOptions } from '../approvals/decision.ts'
import type { RunApprovalRequest } from '../approvals/approval-request.ts'
import type { EmitInput, EmitOptions } from '../emit-input.ts'
import type { FactData } from '../fact.ts'
import { newProducerId, type OnceOnlyFact } from '../event-id.ts'
import { traceIdOf } from '../trace-context.ts'
import { classifyException } from './event-error.ts'
import { perform } from './perform.ts'
import type { Capture, RunContext, RunOptions } from './run-options.ts'
import { ToldFacts } from './told-facts.ts'
import { ToolCall, type ToolCallOptions } from './tool-call.ts'

type Told = Promise<Accepted | null>
type Once = Pick<OnceOnlyFact, 'child_id' | 'n'>

/** Failures that are a refusal, and not a fault. */
const REJECTIONS: readonly string[] = ['approval_denied', 'approval_expired', 'guardrail_blocked', 'model_refused']

/**
 * A run, told fact by fact. Each method tells one fact and returns the promise of `emit`: nothing has to be awaited, and facts
 * are published in the order they were told. Facts that can be true only once have ids that follow from the run and what they
 * are about, so that telling them twice publishes them once.
 */
export class Run {
  readonly run_id: string
  /** Asks people, in the name of this run. */
  readonly approval: RunApprovals
  readonly options: Readonly<RunOptions>
  readonly #context: RunContext
  #agent: Agent | undefined
  #startedAt: number | null = null
  #steps = 0
  #state: 'running' | 'waiting' | 'ended' = 'running'

  constructor(context: RunContext, options: RunOptions) {
    const { mode, now } = context.settings
    this.#context = context
    this.options = options
    this.run_id = options.run_id ?? newProducerId('run', mode, now())
    this.#agent = options.agent ?? context.settings.defaultAgent
    this.approval = {
      request: (request) => context.approvals.request({ ...this.#joins(), ...request, run_id: this.run_id }),
      ask: (request, wait) => this.#ask(request, wait),
    }
  }

  /** `running` until it is told otherwise. A run that is `waiting` or `ended` is not completed by its work's return. */
  get state(): 'running' | 'waiting' | 'ended' {
    return this.#state
  }

  /** Whether its facts are to be awaited. */
  get isStrict(): boolean {
    return this.#context.settings.strict
  }

  captures(what: Capture): boolean {
    return this.options.capture?.includes(what) === true
  }

  queued(data: FactData<'agent.run.queued'> = {}): Told {
    return this.#tell('agent.run.queued', { status: 'queued', ...data }, {})
  }

  started(data: FactData<'agent.run.started', 'parent_run_id'> = {}): Told {
    this.#startedAt = this.#context.settings.now()
    this.#state = 'running'
    const { parent_run_id: parent, started } = this.options
    const told = { status: 'running', ...(parent === undefined ? {} : { parent_run_id: parent }), ...started, ...data }
    return this.#tell('agent.run.started', told, {})
  }

  waiting(data: FactData<'agent.run.waiting'>): Told {
    this.#state = 'waiting'
    return this.#tell('agent.run.waiting', { status: 'waiting', ...data })
  }

  resumed(data: FactData<'agent.run.resumed'>): Told {
    this.#state = 'running'
    return this.#tell('agent.run.resumed', { status: 'running', ...data })
  }

  /** An attempt of the run failed, and another one comes. */
  retrying(error: EventError | Error, data: FactData<'agent.run.retrying', 'error'>): Told {
    const told = { status: 'retrying', ...data, error: this.#toldError(error) }
    return this.#tell('agent.run.retrying', told, { n: data.attempt })
  }

  /** Another agent takes over: it is who acts from now on. */
  handedOff(to: Agent): Told {
    const from = this.#agent
    const told = this.#tell('agent.run.handed_off', { status: 'running', from_agent: from, to_agent: to })
    this.#agent = to
    return told
  }

  completed(data: FactData<'agent.run.completed'> = {}): Told {
    const startedAt = this.#startedAt === null ? {} : { started_at: new Date(this.#startedAt).toISOString() }
    return this.#end('agent.run.completed', { status: 'completed', ...startedAt, ...this.#duration(), ...data })
  }

  /** There is a result, and it is not all of it. Steps made with `step` are counted. */
  partiallyCompleted(data: FactData<'agent.run.partially_completed'>): Told {
    const steps = this.#steps === 0 ? {} : { completed_steps: this.#steps }
    const status = 'partially_completed'
    return this.#end('agent.run.partially_completed', { status, ...steps, ...this.#duration(), ...data })
  }

  /** There is no result. Of an exception only what its class says is told. */
  failed(error: EventError | Error, data: Partial<FailedData> = {}): Told {
    const told = this.#toldError(error)
    return this.#end('agent.run.failed', { status: failedStatus(told), error: told, ...this.#duration(), ...data })
  }

  cancelled(data: FactData<'agent.run.cancelled'> & { cancelled_by?: Actor } = {}): Told {
    return this.#end('agent.run.cancelled', { status: 'cancelled', ...data })
  }

  /** Nobody can say how it ended, or whether it has. */
  outcomeUnknown(data: FactData<'agent.run.outcome_unknown'> = {}): Told {
    this.#state = 'ended'
    return this.#tell('agent.run.outcome_unknown', { status: 'unknown', ...data })
  }

  /** Something was said to a user. Its content is told where you give it, and not else. */
  message(data: FactData<'agent.message.sent', 'message_id'> & { message_id?: string }): Told {
    const { mode, now } = this.#context.settings
    const { message_id: id = newProducerId('message', mode, now()), ...rest } = data
    return this.#tell('agent.message.sent', { message_id: id, status: 'sent', ...rest }, { child_id: id })
  }

  /** A tool call, fact by fact. Says nothing by itself. */
  toolCall(options: ToolCallOptions): ToolCall {
    const { mode, now, classifyError } = this.#context.settings
    const id = options.tool_call_id ?? newProducerId('toolCall', mode, now())
    return new ToolCall(options, {
      tool_call_id: id,
      now,
      classify: (exception) => ({ origin: 'tool', ...classifyException(exception, 'tool_error', classifyError) }),
      tell: (type, data, n) => this.#tell(type, data, { child_id: id, n }),
    })
  }

  /**
   * A tool call around the tool: started before it, completed or failed after it; the tool's result or exception is handed on.
   * Input and output are told only where `capture` has `tool_input` and `tool_output`.
   */
  async tool<Result>(options: ToolCallOptions, work: (call: ToolCall) => Result | Promise<Result>): Promise<Result> {
    const call = this.toolCall(options)
    const facts = new ToldFacts(this.isStrict)
    const input = this.captures('tool_input') && options.input !== undefined ? { input: options.input } : {}
    facts.add(call.started(input))
    let result: Result
    try {
      result = await work(call)
    } catch (exception) {
      facts.add(call.failed({ origin: 'tool', ...this.errorOf(exception, 'tool_error') }, input))
      throw exception
    }
    const output = this.captures('tool_output') && result !== undefined ? { output: result } : {}
    facts.add(call.completed({ ...input, ...output }))
    await facts.end()
    return result
  }

  /** A step of the run: counted where the run completes in part. No event tells of it. */
  async step<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = await work()
    this.#steps++
    return result
  }

  /** A run that this one starts: with the same tenant, conversation and trace unless it says otherwise. */
  child(options?: RunOptions): Run
  child<Result>(options: RunOptions, work: (run: Run) => Result | Promise<Result>): Promise<Result>
  child<Result>(options: RunOptions = {}, work?: (run: Run) => Result | Promise<Result>): Run | Promise<Result> {
    const { tenant_id, conversation_id, trace_id, traceparent, capture, signal } = this.options
    const agent = this.#agent
    const inherited = { tenant_id, conversation_id, trace_id, traceparent, capture, signal, agent }
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const run = new Run(this.#context, { ...inherited, ...given, parent_run_id: this.run_id })
    return work === undefined ? run : perform(run, work)
  }

  /** Any other fact of the run. */
  emit<Type extends keyof EventDataByType | (string & {})>(
    type: Type,
    input: Omit<EmitInput<Type>, 'run_id'>,
    options?: EmitOptions,
  ): Told {
    return this.#context.emit(type, { ...this.#joins(), ...(input as EmitInput), run_id: this.run_id }, options)
  }

  /**
   * What of an exception may be told: what `classifyError` says, and else what its class says.
   * @param otherwise the code where neither knows it. @default 'internal_error'
   */
  errorOf(exception: unknown, otherwise: ErrorCode = 'internal_error'): EventError {
    return classifyException(exception, otherwise, this.#context.settings.classifyError)
  }

  /** How an exception of its work ends it. */
  async endWith(exception: unknown): Promise<void> {
    if (this.#state === 'ended') return
    if (this.options.signal?.aborted === true) await this.cancelled()
    else await this.failed(this.errorOf(exception))
  }

  async #ask(request: RunApprovalRequest, wait?: WaitOptions): Promise<ApprovalDecision> {
    const approval = this.approval.request(request)
    const facts = new ToldFacts(this.isStrict)
    facts.add(approval.published)
    facts.add(this.waiting({ waiting_for: 'approval', approval_ids: [approval.approval_id] }))
    const decision = await approval.wait({ signal: this.options.signal, ...wait })
    if (decision.status !== 'pending') facts.add(this.resumed({ resumed_after: 'approval' }))
    await facts.end()
    return decision
  }

  #end(type: keyof EventDataByType, data: Record<string, unknown>): Told {
    this.#state = 'ended'
    return this.#tell(type, data, {})
  }

  #tell(type: keyof EventDataByType, data: Record<string, unknown>, once?: Once): Told {
    const input = { ...this.#joins(), run_id: this.run_id, data } as unknown as EmitInput
    return this.#context.emit(type, input, once === undefined ? {} : { once })
  }

  #joins(): Omit<EmitInput, 'data'> {
    const { tenant_id, conversation_id, task_id, metadata, trace_id, traceparent } = this.options
    const traceId = trace_id ?? traceIdOf(traceparent)
    const joins = { agent: this.#agent, tenant_id, conversation_id, task_id, metadata, trace_id: traceId ?? undefined }
    return Object.fromEntries(Object.entries(joins).filter(([, value]) => value !== undefined))
  }

  #toldError(error: EventError | Error): EventError {
    return error instanceof Error ? this.errorOf(error) : error
  }

  #duration(): { duration_ms?: number } {
    if (this.#startedAt === null) return {}
    return { duration_ms: Math.max(0, Math.round(this.#context.settings.now() - this.#startedAt)) }
  }
}

type FailedData = FactData<'agent.run.failed', 'error'> & Pick<EventDataByType['agent.run.failed'], 'status'>

export interface RunApprovals {
  /** Tells that a decision is needed. Waits for nothing. */
  request(request: RunApprovalRequest): Approval
  /** The whole of it: requested, waiting, then resumed when it is decided. Returns the decision; only `approved: true` allows. */
  ask(request: RunApprovalRequest, wait?: WaitOptions): Promise<ApprovalDecision>
}

function failedStatus({ code }: EventError): 'failed' | 'timed_out' | 'rejected' {
  if (code === 'timeout') return 'timed_out'
  return REJECTIONS.includes(code) ? 'rejected' : 'failed'
}
