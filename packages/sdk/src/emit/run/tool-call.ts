import type { EventError, Tool } from '../../catalog/index.ts'
import type { Accepted } from '../../contract/index.ts'
import type { Approval } from '../approvals/approval.ts'
import type { FactData } from '../fact.ts'

type Told = Promise<Accepted | null>

export interface ToolCallOptions extends Tool {
  /** The framework's own id of the call (`call_…`, `toolu_…`). @default a new one */
  tool_call_id?: string | undefined
  /** Which try of the same call it is, from 1. @default 1 */
  attempt?: number | undefined
  /** What the tool is called with. Told only where `capture` has `tool_input`. */
  input?: unknown
  /** The approval it was given; its `input_binding` is told with it. */
  approval?: Pick<Approval, 'input_binding'> | undefined
}

type CallFact = `agent.tool_call.${'started' | 'completed' | 'failed' | 'denied'}`
type Given = 'tool_call_id' | 'tool'

/** What a tool call needs of its run. */
export interface ToolCallContext {
  tool_call_id: string
  classify(exception: unknown): EventError
  tell(type: CallFact, data: Record<string, unknown>, n: number): Told
  now(): number
}

/** A tool call, fact by fact. It ends once; `denied` never follows `started`. */
export class ToolCall {
  /** The same in all events of the call. */
  readonly tool_call_id: string
  readonly #context: ToolCallContext
  readonly #tool: Tool
  readonly #attempt: number
  readonly #given: { attempt?: number }
  readonly #binding: string | undefined
  #startedAt: number | null = null

  constructor(options: ToolCallOptions, context: ToolCallContext) {
    const { tool_call_id: _id, attempt, input: _input, approval, ...tool } = options
    this.tool_call_id = context.tool_call_id
    this.#context = context
    this.#tool = tool
    this.#attempt = attempt ?? 1
    this.#given = attempt === undefined ? {} : { attempt }
    this.#binding = approval?.input_binding
  }

  /** The tool began. */
  started(data: FactData<'agent.tool_call.started', Given> = {}): Told {
    this.#startedAt = this.#context.now()
    const binding = this.#binding === undefined ? {} : { input_binding: this.#binding }
    return this.#tell('started', { status: 'running', ...this.#given, ...binding, ...data }, data.attempt)
  }

  /** The tool returned a result. */
  completed(data: FactData<'agent.tool_call.completed', Given> = {}): Told {
    return this.#tell('completed', { status: 'completed', ...this.#duration(), ...data }, 0)
  }

  /** The tool failed. Of an exception only what its class says is told. */
  failed(error: EventError | Error, data: Partial<FactData<'agent.tool_call.failed', Given | 'error'>> = {}): Told {
    const told = error instanceof Error ? this.#context.classify(error) : error
    const status = told.code === 'timeout' ? 'timed_out' : 'failed'
    return this.#tell('failed', { status, error: told, ...this.#duration(), ...this.#given, ...data }, data.attempt)
  }

  /** The call was refused before the tool began. */
  denied(data: FactData<'agent.tool_call.denied', Given>): Told {
    return this.#tell('denied', { status: 'denied', ...data }, 0)
  }

  #tell(fact: 'started' | 'completed' | 'failed' | 'denied', data: object, n: number | undefined): Told {
    const { status, ...rest } = data as { status: string }
    const about = { tool_call_id: this.tool_call_id, tool: this.#tool, status }
    return this.#context.tell(`agent.tool_call.${fact}`, { ...about, ...rest }, n ?? this.#attempt)
  }

  #duration(): { duration_ms?: number } {
    return this.#startedAt === null
      ? {}
      : { duration_ms: Math.max(0, Math.round(this.#context.now() - this.#startedAt)) }
  }
}
