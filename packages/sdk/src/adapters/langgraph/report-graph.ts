import type { Actor } from '../../catalog/index.ts'
import type { Runbell } from '../../emit/index.ts'
import { agentOf } from '../derived-id.ts'
import { RunReport, type ReportedCall, type ReportedRun } from '../run-report.ts'
import { safely } from '../safely.ts'
import { runFailure, toolFailure, type Thrown } from './failure.ts'
import { GRAPH_HANDLER, type CheckpointEventLike, type InterruptEventLike } from './framework.ts'
import { approvalsIn, decisionsIn, isCommand } from './interrupts.ts'

export interface LangGraphOptions {
  /** Who decides about approvals. @default a user */
  decidedBy?: Actor | undefined
}

/** What is given to `callbacks`. */
export interface GraphHandler {
  readonly name: string
  readonly awaitHandlers: boolean
  readonly [GRAPH_HANDLER]: true
  copy(): GraphHandler
  handleChainStart(chain: unknown, inputs: unknown, runId: string, ...rest: unknown[]): void
  handleChainEnd(outputs: unknown, runId: string): void
  handleChainError(error: unknown, runId: string): void
  handleLLMError(error: unknown): void
  handleToolStart(tool: unknown, input: string, runId: string, ...rest: unknown[]): void
  handleToolEnd(output: unknown, runId: string): void
  handleToolError(error: unknown, runId: string): void
  handleInterrupt(event: InterruptEventLike): void
  handleResume(event: CheckpointEventLike): void
}

/**
 * Tells what a graph does. Give each run a handler of its own; calls with it, one after the other, are that run: with an input
 * it starts, with a `Command` that resumes it goes on. Nothing waits for the network.
 */
export function reportGraph(runbell: Runbell, run: ReportedRun, options: LangGraphOptions = {}): GraphHandler {
  const telling = new GraphReport(runbell, run, options)
  const handler: GraphHandler = {
    name: 'runbell',
    // Its methods return at once; in the background they would run when the graph is done.
    awaitHandlers: true,
    [GRAPH_HANDLER]: true,
    copy: () => handler,
    handleChainStart: (_chain, inputs, runId, ...rest) => safely(() => telling.chainStarted(inputs, runId, rest)),
    handleChainEnd: (outputs, runId) => safely(() => telling.chainEnded(outputs, runId)),
    handleChainError: (error, runId) => safely(() => telling.chainFailed(error, runId)),
    handleLLMError: (error) => safely(() => telling.modelFailed(error)),
    handleToolStart: (_tool, input, runId, ...rest) => safely(() => telling.toolStarted(input, runId, rest)),
    handleToolEnd: (output, runId) => safely(() => telling.toolEnded(output, runId)),
    handleToolError: (error, runId) => safely(() => telling.toolFailed(error, runId)),
    handleInterrupt: (event) => safely(() => telling.interrupted(event)),
    handleResume: (event) => safely(() => telling.resumed(event)),
  }
  return handler
}

class GraphReport {
  readonly #runbell: Runbell
  readonly #run: ReportedRun
  readonly #options: LangGraphOptions
  #report: RunReport | null = null
  /** The framework's id of the call under way; everything else it hears of is inside of that. */
  #root: string | null = null
  #input: unknown
  #paused = false
  #aborted = false
  /** Calls under way, by the framework's id: an end says nothing of the call's own. */
  readonly #calls = new Map<string, ReportedCall>()
  readonly #thrown: Thrown = { byModel: new WeakSet(), byTool: new WeakSet() }

  constructor(runbell: Runbell, run: ReportedRun, options: LangGraphOptions) {
    this.#runbell = runbell
    this.#run = run
    this.#options = options
  }

  /** @param rest in the running framework `parentRunId, tags, metadata, runType, runName`; its types say otherwise */
  chainStarted(inputs: unknown, runId: string, rest: readonly unknown[]): void {
    if (this.#root !== null) return
    const [, , , , name] = rest
    this.#root = runId
    this.#input = inputs
    this.#paused = false
    this.#aborted = false
    this.#report = new RunReport(this.#runbell, this.#run, agentOf(typeof name === 'string' ? name : undefined))
    // A command is told when the checkpoint is known that it goes on from.
    if (isCommand(inputs)) return
    if (this.#run.resumed_after === undefined) this.#report.started()
    else this.#report.resumed(this.#run.resumed_after, [])
  }

  resumed({ checkpointId, checkpointNs }: CheckpointEventLike): void {
    const report = this.#report
    const command = this.#input
    // Subgraphs resume too. The run did that once.
    if (report === null || checkpointNs.length > 0 || !isCommand(command)) return
    this.#input = undefined
    const by = this.#options.decidedBy ?? { type: 'user' }
    const decisions = decisionsIn(command, checkpointId)
    for (const { call, approved } of decisions) {
      if (approved) report.approved(call, by)
      else report.denied(call, by)
    }
    report.resumed(this.#run.resumed_after ?? (decisions.length > 0 ? 'approval' : 'input'), [checkpointId])
  }

  interrupted(event: InterruptEventLike): void {
    const report = this.#report
    if (report === null || event.checkpointNs.length > 0) return
    this.#paused = true
    const approvals = approvalsIn(event).map((call) => report.approvalRequested(call))
    if (approvals.length > 0) report.waiting('approval', approvals)
    else report.waiting('input', [event.checkpointId])
  }

  chainEnded(outputs: unknown, runId: string): void {
    const report = this.#take(runId)
    if (report !== null && !this.#paused) report.completed(outputs)
  }

  chainFailed(error: unknown, runId: string): void {
    // The root fails of an abort with a nameless error.
    if (nameOf(error) === 'AbortError') this.#aborted = true
    const report = this.#take(runId)
    if (report === null) return
    if (this.#aborted || this.#run.signal?.aborted === true) return report.cancelled()
    const failure = runFailure(report.run, error, this.#thrown)
    if (failure.code !== 'max_turns_exceeded') return report.failed(failure)
    report.callsInterrupted()
    report.partiallyCompleted('max_turns', failure)
  }

  modelFailed(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#thrown.byModel.add(error)
  }

  /** @param rest `parentRunId, tags, metadata, runName, toolCallId` */
  toolStarted(input: string, runId: string, rest: readonly unknown[]): void {
    const [, , , name, callId] = rest
    const id = typeof callId === 'string' ? callId : runId
    const call = { id, name: typeof name === 'string' ? name : undefined, input: parsed(input) }
    this.#calls.set(runId, call)
    this.#report?.toolStarted(call)
  }

  toolEnded(output: unknown, runId: string): void {
    const call = this.#ended(runId)
    if (call !== undefined) this.#report?.toolCompleted(call, contentOf(output))
  }

  toolFailed(error: unknown, runId: string): void {
    const call = this.#ended(runId)
    const report = this.#report
    // A tool that asks somebody is called again when the run goes on, under the same id.
    if (call === undefined || report === null || nameOf(error) === 'GraphInterrupt') return
    if (typeof error === 'object' && error !== null) this.#thrown.byTool.add(error)
    report.toolFailed(call, toolFailure(report.run, error))
  }

  #ended(runId: string): ReportedCall | undefined {
    const call = this.#calls.get(runId)
    this.#calls.delete(runId)
    return call
  }

  #take(runId: string): RunReport | null {
    if (runId !== this.#root) return null
    const report = this.#report
    this.#root = null
    this.#report = null
    this.#calls.clear()
    return report
  }
}

function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
}

/** What the tool returned, out of the message it is wrapped in. */
function contentOf(output: unknown): unknown {
  return typeof output === 'object' && output !== null && 'content' in output ? output.content : output
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
