/** What is used of `@anthropic-ai/claude-agent-sdk` 0.3: structural, so that nothing of it is imported. */

/** Inputs of hooks, as far as they are read. Prompts, answers, transcripts and folders are not. */
export interface HookInputLike {
  hook_event_name: string
  tool_name?: string | undefined
  tool_input?: unknown
  tool_response?: unknown
  tool_use_id?: string | undefined
  is_interrupt?: boolean | undefined
  /** Of StopFailure: one of the framework's own words. Of PostToolUseFailure: text, which is not read. */
  error?: unknown
  background_tasks?: readonly { id?: string }[] | undefined
}

export type HookLike = (input: HookInputLike, toolUseId: string | undefined) => Promise<{}>

/** The result of a permission prompt. */
export interface PermissionLike {
  behavior: string
}

/** The last message of a query. */
export interface MessageLike {
  type: string
  subtype?: string | undefined
  is_error?: boolean | undefined
  result?: unknown
}
