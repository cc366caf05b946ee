/** What is used of `@openai/agents` 0.20: structural, so that nothing of it is imported. */

export interface AgentLike {
  name?: string
}

export interface ToolCallLike {
  type?: string
  /** Of function calls and computer actions. */
  callId?: string
  id?: string
  name?: string
  /** JSON, written by the model. */
  arguments?: string
}

export interface ApprovalItemLike {
  rawItem: ToolCallLike
  toolName?: string | undefined
  agent?: AgentLike
}

/** A run that paused and goes on. */
export interface RunStateLike {
  getInterruptions(): readonly ApprovalItemLike[]
  currentAgent?: AgentLike
  _context: { isToolApproved(approval: { toolName: string; callId: string }): boolean | undefined }
}

export interface RunResultLike {
  finalOutput?: unknown
  interruptions?: readonly ApprovalItemLike[]
  /** Of streamed results: resolves at the end, rejects where the run failed. */
  completed?: Promise<void>
  /** Of streamed results: whoever read it stopped. */
  cancelled?: boolean
}

export interface RunnerLike {
  run: (agent: never, input: never, options?: never) => Promise<unknown>
  on: (event: never, listener: never) => unknown
}

/** The events of a runner that are listened to. */
export interface RunnerHooks {
  on(event: 'agent_handoff', listener: (context: unknown, from: AgentLike, to: AgentLike) => void): unknown
  on(event: 'agent_tool_start', listener: ToolListener<[details: { toolCall: ToolCallLike }]>): unknown
  on(event: 'agent_tool_end', listener: ToolListener<[output: unknown, details: { toolCall: ToolCallLike }]>): unknown
}
type ToolListener<Rest extends unknown[]> = (
  context: unknown,
  agent: AgentLike,
  tool: { name?: string },
  ...rest: Rest
) => void

export interface SpanLike {
  spanData: { type: string }
  error: object | null
}
