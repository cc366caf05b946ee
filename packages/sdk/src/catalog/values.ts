/** Sets of values that events use. They are closed: one more value is a new version of every type that uses it. */

/** Consumers treat a status they do not know as one that has not ended. */
export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'retrying',
  'completed',
  'partially_completed',
  'failed',
  'timed_out',
  'rejected',
  'cancelled',
  'unknown',
] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

/** A run that has one of these has ended. */
export const TERMINAL_RUN_STATUSES = [
  'completed',
  'partially_completed',
  'failed',
  'timed_out',
  'rejected',
  'cancelled',
] as const satisfies readonly RunStatus[]

/** What a run can wait for. */
export const WAIT_REASONS = ['approval', 'input', 'authentication', 'external_event', 'budget', 'schedule'] as const
export type WaitReason = (typeof WAIT_REASONS)[number]

/** What the world looks like after something stopped: whether trying again may do it twice. */
export const SIDE_EFFECTS = ['none', 'possible', 'committed', 'unknown'] as const
export type SideEffects = (typeof SIDE_EFFECTS)[number]

/** The codes of `error` inside events. */
export const ERROR_CODES = [
  'timeout',
  'rate_limited',
  'quota_exceeded',
  'budget_exceeded',
  'max_turns_exceeded',
  'context_length_exceeded',
  'output_limit_exceeded',
  'model_unavailable',
  'model_error',
  'model_refused',
  'guardrail_blocked',
  'invalid_input',
  'invalid_output',
  'tool_not_found',
  'tool_input_invalid',
  'tool_error',
  'tool_unavailable',
  'authentication_required',
  'permission_denied',
  'approval_denied',
  'approval_expired',
  'dependency_failed',
  'conflict',
  'interrupted',
  'configuration_error',
  'internal_error',
  'unknown',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]
