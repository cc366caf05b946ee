/** What is used of `ai` 7: structural, so that nothing of it is imported. Everything is optional: events are filtered by settings. */

export interface ToolCallLike {
  toolCallId: string
  toolName?: string | undefined
  input?: unknown
}

/** A part of a message, or of what a step came to. */
export interface PartLike {
  type: string
  approvalId?: string | undefined
  approved?: boolean | undefined
  isAutomatic?: boolean | undefined
  toolCallId?: string | undefined
  toolName?: string | undefined
  input?: unknown
  toolCall?: ToolCallLike | undefined
  /** The model's call fits no tool, and `error` says why. */
  invalid?: boolean | undefined
  error?: unknown
}

export interface MessageLike {
  role: string
  content: string | readonly PartLike[]
}

export interface StartLike {
  operationId?: string | undefined
  messages?: readonly MessageLike[] | undefined
}

export interface ToolStartLike {
  toolCall: ToolCallLike
}

export interface ToolEndLike extends ToolStartLike {
  toolOutput: { type: string; output?: unknown; error?: unknown }
}

export interface StepLike {
  content?: readonly PartLike[] | undefined
}

export interface EndLike extends StepLike {
  /** In what every operation ends with: an embedding, too, is heard of here. */
  callId?: string | undefined
  text?: string | undefined
  finishReason?: string | undefined
}
