// Made from packages/sdk/src/catalog by `npm run generate`; edit that, not this file.
// A test holds it against the types that the catalog itself has.

import type { Envelope } from '@runbell/sdk/contract'

/** A run was accepted and waits for a worker. `agent.run.queued`, version 1. */
export interface AgentRunQueuedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'queued'
  /** What set the run off. Data class: public. */
  trigger?: 'user' | 'schedule' | 'event' | 'api' | 'agent'
}

/** A run began executing for the first time. `agent.run.started`, version 1. */
export interface AgentRunStartedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'running'
  /** What set the run off. Data class: public. */
  trigger?: 'user' | 'schedule' | 'event' | 'api' | 'agent'
  /** The run that started this one. Data class: public. */
  parent_run_id?: string
  /** What the run was asked to do. Data class: prompt. */
  input?: unknown
  /** Who asked for it. */
  initiated_by?: AgentRunStartedV1Actor
}

export type AgentRunStartedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** A run stopped until something outside it happens. `agent.run.waiting`, version 1. */
export interface AgentRunWaitingV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'waiting'
  /** What it waits for. Data class: public. */
  waiting_for: 'approval' | 'input' | 'authentication' | 'external_event' | 'budget' | 'schedule'
  /** The approvals it waits for. Data class: public. */
  approval_ids?: string[]
  /** After this the producer no longer waits. Data class: public. */
  resume_by?: string
  /** How things stand, in one safe sentence. Data class: summary. */
  summary?: string
}

/** A waiting or retrying run is executing again. `agent.run.resumed`, version 1. */
export interface AgentRunResumedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'running'
  /** What made it go on. Data class: public. */
  resumed_after: 'approval' | 'input' | 'authentication' | 'external_event' | 'budget' | 'schedule' | 'retry' | 'operator'
}

/** An attempt of the run failed and another is scheduled. `agent.run.retrying`, version 1. */
export interface AgentRunRetryingV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'retrying'
  /** Which attempt failed, from 1. Data class: public. */
  attempt: number
  /** Why it failed. */
  error: AgentRunRetryingV1Error
  /** When the next attempt starts. Data class: public. */
  next_attempt_at?: string
}

export type AgentRunRetryingV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

/** Control of the run moved to another agent. `agent.run.handed_off`, version 1. */
export interface AgentRunHandedOffV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'running'
  /** Who had it. */
  from_agent: AgentRunHandedOffV1Agent
  /** Who has it now. */
  to_agent: AgentRunHandedOffV1Agent
}

export type AgentRunHandedOffV1Agent = {
  /** The agent’s id, the same over all its runs. Data class: public. */
  id: string
  /** The agent’s name, for people. Data class: operational. */
  name?: string
  /** Which version of the agent it is. Data class: operational. */
  version?: string
}

/** A run reached its goal; nothing was left out. `agent.run.completed`, version 1. */
export interface AgentRunCompletedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'completed'
  /** When the run began executing. Data class: public. */
  started_at?: string
  /** From start to end, waiting included, in milliseconds. Data class: public. */
  duration_ms?: number
  /** What the run used up. */
  usage?: AgentRunCompletedV1Usage
  /** What the run answered. Data class: message. */
  output?: unknown
  /** What the run made or changed. */
  result?: AgentRunCompletedV1Resource
}

export type AgentRunCompletedV1Usage = {
  /** Tokens the models read. */
  input_tokens?: number
  /** Tokens the models wrote. */
  output_tokens?: number
  /** Those of the tokens read that came from a cache. */
  cache_read_input_tokens?: number
  /** How many times a model was called. */
  model_calls?: number
  /** How many times a tool was called. */
  tool_calls?: number
  /** What it cost the producer. */
  cost?: {
    /** A decimal number as text, such as 0.0412. */
    amount: string
    /** ISO 4217, such as EUR. */
    currency: string
  }
}

export type AgentRunCompletedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** A run ended with a usable but partial result. `agent.run.partially_completed`, version 1. */
export interface AgentRunPartiallyCompletedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'partially_completed'
  /** Why it is not complete. Data class: public. */
  reason: 'max_turns' | 'budget' | 'output_limit' | 'context_limit' | 'content_filter' | 'tool_failures' | 'interrupted_by_user' | 'other'
  /** How many steps are done. Data class: public. */
  completed_steps?: number
  /** How many steps are not. Data class: public. */
  remaining_steps?: number
  /** How things stand, in one safe sentence. Data class: summary. */
  summary?: string
  /** From start to end, waiting included, in milliseconds. Data class: public. */
  duration_ms?: number
  /** What the run used up. */
  usage?: AgentRunPartiallyCompletedV1Usage
  /** What got in the way. */
  error?: AgentRunPartiallyCompletedV1Error
  /** What the run answered. Data class: message. */
  output?: unknown
  /** What the run made or changed. */
  result?: AgentRunPartiallyCompletedV1Resource
}

export type AgentRunPartiallyCompletedV1Usage = {
  /** Tokens the models read. */
  input_tokens?: number
  /** Tokens the models wrote. */
  output_tokens?: number
  /** Those of the tokens read that came from a cache. */
  cache_read_input_tokens?: number
  /** How many times a model was called. */
  model_calls?: number
  /** How many times a tool was called. */
  tool_calls?: number
  /** What it cost the producer. */
  cost?: {
    /** A decimal number as text, such as 0.0412. */
    amount: string
    /** ISO 4217, such as EUR. */
    currency: string
  }
}

export type AgentRunPartiallyCompletedV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

export type AgentRunPartiallyCompletedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** A run ended without a usable result. `agent.run.failed`, version 1. */
export interface AgentRunFailedV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'failed' | 'timed_out' | 'rejected'
  /** Why it failed. */
  error: AgentRunFailedV1Error
  /** From start to end, waiting included, in milliseconds. Data class: public. */
  duration_ms?: number
  /** What the run used up. */
  usage?: AgentRunFailedV1Usage
}

export type AgentRunFailedV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

export type AgentRunFailedV1Usage = {
  /** Tokens the models read. */
  input_tokens?: number
  /** Tokens the models wrote. */
  output_tokens?: number
  /** Those of the tokens read that came from a cache. */
  cache_read_input_tokens?: number
  /** How many times a model was called. */
  model_calls?: number
  /** How many times a tool was called. */
  tool_calls?: number
  /** What it cost the producer. */
  cost?: {
    /** A decimal number as text, such as 0.0412. */
    amount: string
    /** ISO 4217, such as EUR. */
    currency: string
  }
}

/** A run was stopped on request before its end. `agent.run.cancelled`, version 1. */
export interface AgentRunCancelledV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'cancelled'
  /** Who stopped it. */
  cancelled_by?: AgentRunCancelledV1Actor
  /** Why, in the words of whoever stopped it. Data class: message. */
  reason?: string
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
}

export type AgentRunCancelledV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** The producer lost track of a run and cannot say how it ended. `agent.run.outcome_unknown`, version 1. */
export interface AgentRunOutcomeUnknownV1 {
  /** The state of the run, from now on. Data class: public. */
  status: 'unknown'
  /** When the run last showed that it is alive. Data class: public. */
  last_seen_at?: string
  /** What is known of the reason. */
  error?: AgentRunOutcomeUnknownV1Error
}

export type AgentRunOutcomeUnknownV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

/** A tool began executing. `agent.tool_call.started`, version 1. */
export interface AgentToolCallStartedV1 {
  /** The tool call: the same in all its events. Data class: public. */
  tool_call_id: string
  /** The tool that was called. */
  tool: AgentToolCallStartedV1Tool
  /** The state of the tool call, from now on. Data class: public. */
  status: 'running'
  /** Which try of the same call it is, from 1. Data class: public. */
  attempt?: number
  /** What the tool was called with. Data class: tool_input. */
  input?: unknown
  /** An HMAC under the producer’s key over the call and its input; equal to that of the approval, where there was one. Data class: public. */
  input_binding?: string
}

export type AgentToolCallStartedV1Tool = {
  /** The tool’s name, as the model knows it. Data class: public. */
  name: string
  /** What kind of tool it is. Data class: public. */
  type?: 'function' | 'extension' | 'datastore' | 'mcp' | 'builtin'
  /** The server that offers the tool, such as an MCP server. Data class: operational. */
  server?: string
  /** What the tool says of itself. Hints, not guarantees. Data class: public. */
  annotations?: {
    /** It changes nothing. */
    read_only_hint?: boolean
    /** What it changes may not be undone. */
    destructive_hint?: boolean
    /** Calling it twice is the same as calling it once. */
    idempotent_hint?: boolean
    /** It reaches systems outside the producer’s. */
    open_world_hint?: boolean
  }
}

/** A tool returned a result. `agent.tool_call.completed`, version 1. */
export interface AgentToolCallCompletedV1 {
  /** The tool call: the same in all its events. Data class: public. */
  tool_call_id: string
  /** The tool that was called. */
  tool: AgentToolCallCompletedV1Tool
  /** The state of the tool call, from now on. Data class: public. */
  status: 'completed'
  /** From call to end, in milliseconds. Data class: public. */
  duration_ms?: number
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What came out of it, in one safe sentence. Data class: summary. */
  summary?: string
  /** What the tool was called with. Data class: tool_input. */
  input?: unknown
  /** What the tool returned. Data class: tool_output. */
  output?: unknown
  /** What the call made or changed. */
  result?: AgentToolCallCompletedV1Resource
}

export type AgentToolCallCompletedV1Tool = {
  /** The tool’s name, as the model knows it. Data class: public. */
  name: string
  /** What kind of tool it is. Data class: public. */
  type?: 'function' | 'extension' | 'datastore' | 'mcp' | 'builtin'
  /** The server that offers the tool, such as an MCP server. Data class: operational. */
  server?: string
  /** What the tool says of itself. Hints, not guarantees. Data class: public. */
  annotations?: {
    /** It changes nothing. */
    read_only_hint?: boolean
    /** What it changes may not be undone. */
    destructive_hint?: boolean
    /** Calling it twice is the same as calling it once. */
    idempotent_hint?: boolean
    /** It reaches systems outside the producer’s. */
    open_world_hint?: boolean
  }
}

export type AgentToolCallCompletedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** A tool ended with an error. `agent.tool_call.failed`, version 1. */
export interface AgentToolCallFailedV1 {
  /** The tool call: the same in all its events. Data class: public. */
  tool_call_id: string
  /** The tool that was called. */
  tool: AgentToolCallFailedV1Tool
  /** The state of the tool call, from now on. Data class: public. */
  status: 'failed' | 'timed_out'
  /** Why it failed. */
  error: AgentToolCallFailedV1Error
  /** From call to end, in milliseconds. Data class: public. */
  duration_ms?: number
  /** Which try of the same call it is, from 1. Data class: public. */
  attempt?: number
  /** What the tool was called with. Data class: tool_input. */
  input?: unknown
}

export type AgentToolCallFailedV1Tool = {
  /** The tool’s name, as the model knows it. Data class: public. */
  name: string
  /** What kind of tool it is. Data class: public. */
  type?: 'function' | 'extension' | 'datastore' | 'mcp' | 'builtin'
  /** The server that offers the tool, such as an MCP server. Data class: operational. */
  server?: string
  /** What the tool says of itself. Hints, not guarantees. Data class: public. */
  annotations?: {
    /** It changes nothing. */
    read_only_hint?: boolean
    /** What it changes may not be undone. */
    destructive_hint?: boolean
    /** Calling it twice is the same as calling it once. */
    idempotent_hint?: boolean
    /** It reaches systems outside the producer’s. */
    open_world_hint?: boolean
  }
}

export type AgentToolCallFailedV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

/** A tool call was refused before it ran. `agent.tool_call.denied`, version 1. */
export interface AgentToolCallDeniedV1 {
  /** The tool call: the same in all its events. Data class: public. */
  tool_call_id: string
  /** The tool that was called. */
  tool: AgentToolCallDeniedV1Tool
  /** The state of the tool call, from now on. Data class: public. */
  status: 'denied'
  /** Who refused it. */
  denied_by: AgentToolCallDeniedV1Actor
  /** The approval that ended in this. Data class: public. */
  approval_id?: string
  /** Why, in one safe sentence. Data class: summary. */
  reason?: string
}

export type AgentToolCallDeniedV1Tool = {
  /** The tool’s name, as the model knows it. Data class: public. */
  name: string
  /** What kind of tool it is. Data class: public. */
  type?: 'function' | 'extension' | 'datastore' | 'mcp' | 'builtin'
  /** The server that offers the tool, such as an MCP server. Data class: operational. */
  server?: string
  /** What the tool says of itself. Hints, not guarantees. Data class: public. */
  annotations?: {
    /** It changes nothing. */
    read_only_hint?: boolean
    /** What it changes may not be undone. */
    destructive_hint?: boolean
    /** Calling it twice is the same as calling it once. */
    idempotent_hint?: boolean
    /** It reaches systems outside the producer’s. */
    open_world_hint?: boolean
  }
}

export type AgentToolCallDeniedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** A human decision is needed before the run may go on. `agent.approval.requested`, version 1. */
export interface AgentApprovalRequestedV1 {
  /** The approval: the same in the request and in what becomes of it. Data class: public. */
  approval_id: string
  /** The state of the approval, from now on. Data class: public. */
  status: 'pending'
  /** What is asked for. Data class: public. */
  kind: 'tool_call' | 'confirmation' | 'input_required' | 'plan'
  /** What would happen, in one safe sentence. Data class: summary. */
  summary: string
  /** Who wrote the summary; do not rely on one that a model wrote. Data class: public. */
  summary_source: 'template' | 'model' | 'human'
  /** What can be answered. Data class: public. */
  options: ('approve' | 'deny' | 'edit' | 'cancel')[]
  /** The tool call it is about. Data class: public. */
  tool_call_id?: string
  /** How much is at stake. Data class: public. */
  risk_level?: 'low' | 'medium' | 'high' | 'critical'
  /** The tool that would be called. */
  tool?: AgentApprovalRequestedV1Tool
  /** An HMAC under the producer’s key over the approval, the tool call, the tool’s name and the input: proves that what was approved is what runs. Data class: public. */
  input_binding?: string
  /** What the approver should see. Each says its own data class. */
  details?: {
    /** What it is, such as Amount. Data class: summary. */
    label: string
    /** The value, or ••• where its class is not granted. */
    value: string
    /** The data class of the value. Data class: public. */
    value_class: 'public' | 'operational' | 'summary' | 'personal' | 'prompt' | 'message' | 'document' | 'tool_input' | 'tool_output' | 'memory'
    /** Whether the value was masked for this endpoint. Data class: public. */
    masked?: boolean
  }[]
  /** JSON Schema of what can be answered besides the option. Data class: public. */
  response_schema?: Record<string, unknown>
  /** Who may decide. */
  requested_from?: AgentApprovalRequestedV1Actor
  /** Why, in one safe sentence. Data class: summary. */
  reason?: string
  /** Until when it can be decided; delivery stops then, too. Data class: public. */
  expires_at?: string
  /** What happens if nobody decides. Data class: public. */
  on_expiry?: 'deny' | 'cancel_run'
  /** The producer’s page to decide on. Carries no token. Data class: public. */
  decision_url?: string
  /** What the tool would be called with. Data class: tool_input. */
  input?: unknown
}

export type AgentApprovalRequestedV1Tool = {
  /** The tool’s name, as the model knows it. Data class: public. */
  name: string
  /** What kind of tool it is. Data class: public. */
  type?: 'function' | 'extension' | 'datastore' | 'mcp' | 'builtin'
  /** The server that offers the tool, such as an MCP server. Data class: operational. */
  server?: string
  /** What the tool says of itself. Hints, not guarantees. Data class: public. */
  annotations?: {
    /** It changes nothing. */
    read_only_hint?: boolean
    /** What it changes may not be undone. */
    destructive_hint?: boolean
    /** Calling it twice is the same as calling it once. */
    idempotent_hint?: boolean
    /** It reaches systems outside the producer’s. */
    open_world_hint?: boolean
  }
}

export type AgentApprovalRequestedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** The request was approved. `agent.approval.approved`, version 1. */
export interface AgentApprovalApprovedV1 {
  /** The approval: the same in the request and in what becomes of it. Data class: public. */
  approval_id: string
  /** The state of the approval, from now on. Data class: public. */
  status: 'approved'
  /** Who decided. */
  decided_by: AgentApprovalApprovedV1Actor
  /** The tool call it is about. Data class: public. */
  tool_call_id?: string
  /** When it was decided. Data class: public. */
  decided_at?: string
  /** Whether a rule decided, and no person. Data class: public. */
  automatic?: boolean
  /** Why, in the words of whoever decided. Data class: message. */
  reason?: string
  /** An HMAC under the producer’s key over the approval, the tool call, the tool’s name and the input: proves that what was approved is what runs. Data class: public. */
  input_binding?: string
  /** Whether the input was changed before it was decided. Data class: public. */
  edited?: boolean
  /** What the decision holds for. Data class: public. */
  scope?: 'once' | 'run' | 'always'
}

export type AgentApprovalApprovedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** The request was denied. `agent.approval.denied`, version 1. */
export interface AgentApprovalDeniedV1 {
  /** The approval: the same in the request and in what becomes of it. Data class: public. */
  approval_id: string
  /** The state of the approval, from now on. Data class: public. */
  status: 'denied'
  /** Who decided. */
  decided_by: AgentApprovalDeniedV1Actor
  /** The tool call it is about. Data class: public. */
  tool_call_id?: string
  /** When it was decided. Data class: public. */
  decided_at?: string
  /** Whether a rule decided, and no person. Data class: public. */
  automatic?: boolean
  /** Why, in the words of whoever decided. Data class: message. */
  reason?: string
  /** An HMAC under the producer’s key over the approval, the tool call, the tool’s name and the input: proves that what was approved is what runs. Data class: public. */
  input_binding?: string
  /** Whether the input was changed before it was decided. Data class: public. */
  edited?: boolean
  /** What the decision holds for. Data class: public. */
  scope?: 'once' | 'run' | 'always'
}

export type AgentApprovalDeniedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** Nobody decided before the deadline. `agent.approval.expired`, version 1. */
export interface AgentApprovalExpiredV1 {
  /** The approval: the same in the request and in what becomes of it. Data class: public. */
  approval_id: string
  /** The state of the approval, from now on. Data class: public. */
  status: 'expired'
  /** When the deadline passed. Data class: public. */
  expired_at: string
  /** The tool call it is about. Data class: public. */
  tool_call_id?: string
  /** What follows from it. Data class: public. */
  consequence?: 'deny' | 'cancel_run'
}

/** The request was withdrawn; no decision is needed any more. `agent.approval.cancelled`, version 1. */
export interface AgentApprovalCancelledV1 {
  /** The approval: the same in the request and in what becomes of it. Data class: public. */
  approval_id: string
  /** The state of the approval, from now on. Data class: public. */
  status: 'cancelled'
  /** The tool call it is about. Data class: public. */
  tool_call_id?: string
  /** Why, in one safe sentence. Data class: summary. */
  reason?: string
}

/** The agent sent a user-facing message. `agent.message.sent`, version 1. */
export interface AgentMessageSentV1 {
  /** The message. Data class: public. */
  message_id: string
  /** The state of the message. Data class: public. */
  status: 'sent'
  /** The way it went, such as chat or email. Data class: public. */
  channel: string
  /** Who it was sent to. */
  to?: AgentMessageSentV1Actor
  /** The message it answers. Data class: public. */
  in_reply_to?: string
  /** How long the content is, in characters. Data class: public. */
  content_length?: number
  /** The media type of the content. Data class: public. */
  content_type?: string
  /** What was said. Data class: message. */
  content?: string
  /** Where the message can be fetched. */
  resource?: AgentMessageSentV1Resource
}

export type AgentMessageSentV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

export type AgentMessageSentV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** The agent gave the matter to a human. `agent.escalation.created`, version 1. */
export interface AgentEscalationCreatedV1 {
  /** The escalation: the same when it is created and resolved. Data class: public. */
  escalation_id: string
  /** The state of the escalation, from now on. Data class: public. */
  status: 'open'
  /** Why a human is needed. Data class: public. */
  reason_code: 'low_confidence' | 'policy' | 'user_request' | 'repeated_failure' | 'out_of_scope' | 'safety' | 'other'
  /** How soon it should be looked at. Data class: public. */
  priority?: 'low' | 'normal' | 'high' | 'urgent'
  /** Who has it now. */
  assigned_to?: AgentEscalationCreatedV1Actor
  /** What it is about, in one safe sentence. Data class: summary. */
  summary?: string
  /** Where it is worked on, such as a ticket. */
  resource?: AgentEscalationCreatedV1Resource
}

export type AgentEscalationCreatedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

export type AgentEscalationCreatedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** The escalated matter was closed. `agent.escalation.resolved`, version 1. */
export interface AgentEscalationResolvedV1 {
  /** The escalation: the same when it is created and resolved. Data class: public. */
  escalation_id: string
  /** The state of the escalation, from now on. Data class: public. */
  status: 'resolved'
  /** How it was closed. Data class: public. */
  resolution: 'handled_by_human' | 'returned_to_agent' | 'dismissed'
  /** Who closed it. */
  resolved_by?: AgentEscalationResolvedV1Actor
}

export type AgentEscalationResolvedV1Actor = {
  /** What kind of actor it is. Data class: public. */
  type: 'user' | 'group' | 'role' | 'agent' | 'policy' | 'system'
  /** The producer’s id of the actor. Data class: personal. */
  id?: string
  /** The actor’s name, for people. Data class: personal. */
  display?: string
}

/** A long-lived memory record was written or deleted. `agent.memory.updated`, version 1. */
export interface AgentMemoryUpdatedV1 {
  /** The store the records are in. Data class: public. */
  memory_store_id: string
  /** What was done to them. Data class: public. */
  operation: 'created' | 'updated' | 'deleted'
  /** How many records it was done to. Data class: public. */
  record_count: number
  /** The state of the operation. Data class: public. */
  status: 'completed'
  /** The records. Data class: public. */
  memory_record_ids?: string[]
  /** What the records say now. Data class: memory. */
  records?: unknown[]
}

/** The agent produced a file or document. `agent.artifact.created`, version 1. */
export interface AgentArtifactCreatedV1 {
  /** The artifact. Data class: public. */
  artifact_id: string
  /** The state of the artifact. Data class: public. */
  status: 'completed'
  /** Its media type, such as application/pdf. Data class: public. */
  media_type: string
  /** Its size in bytes. Data class: public. */
  size_bytes?: number
  /** SHA-256 of its bytes, in unpadded base64url. Data class: public. */
  digest?: string
  /** Its file name. Data class: document. */
  name?: string
  /** What is in it, where it is small. Data class: document. */
  content?: unknown
  /** Where it can be fetched. */
  resource?: AgentArtifactCreatedV1Resource
}

export type AgentArtifactCreatedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** A task was accepted; one or more runs will serve it. `agent.task.created`, version 1. */
export interface AgentTaskCreatedV1 {
  /** The state of the task, from now on. Data class: public. */
  status: 'queued'
  /** What is to be done, in one safe line. Data class: summary. */
  title?: string
  /** The runs that serve the task. Data class: public. */
  run_ids?: string[]
}

/** A task is done. `agent.task.completed`, version 1. */
export interface AgentTaskCompletedV1 {
  /** The state of the task, from now on. Data class: public. */
  status: 'completed'
  /** What is to be done, in one safe line. Data class: summary. */
  title?: string
  /** The runs that serve the task. Data class: public. */
  run_ids?: string[]
  /** What came out of it. */
  result?: AgentTaskCompletedV1Resource
}

export type AgentTaskCompletedV1Resource = {
  /** What it is, such as order or refund. Data class: public. */
  type: string
  /** The producer’s id of it. Data class: public. */
  id: string
  /** Where to fetch it, with the consumer’s own credentials; carries no token. Data class: public. */
  url?: string
}

/** A task cannot be done. `agent.task.failed`, version 1. */
export interface AgentTaskFailedV1 {
  /** The state of the task, from now on. Data class: public. */
  status: 'failed'
  /** Why it cannot be done. */
  error: AgentTaskFailedV1Error
  /** What is to be done, in one safe line. Data class: summary. */
  title?: string
  /** The runs that serve the task. Data class: public. */
  run_ids?: string[]
}

export type AgentTaskFailedV1Error = {
  /** What kind of failure it is. Data class: public. */
  code: 'timeout' | 'rate_limited' | 'quota_exceeded' | 'budget_exceeded' | 'max_turns_exceeded' | 'context_length_exceeded' | 'output_limit_exceeded' | 'model_unavailable' | 'model_error' | 'model_refused' | 'guardrail_blocked' | 'invalid_input' | 'invalid_output' | 'tool_not_found' | 'tool_input_invalid' | 'tool_error' | 'tool_unavailable' | 'authentication_required' | 'permission_denied' | 'approval_denied' | 'approval_expired' | 'dependency_failed' | 'conflict' | 'interrupted' | 'configuration_error' | 'internal_error' | 'unknown'
  /** The failure in words, from a template; never the text of an exception. Data class: summary. */
  message: string
  /** Whether the same thing can work later. Data class: public. */
  retryable: boolean
  /** How long to wait before trying again. Data class: public. */
  retry_after_seconds?: number
  /** Where it failed. Data class: public. */
  origin?: 'agent' | 'model' | 'tool' | 'user' | 'platform'
  /** What it changed outside the run: whether trying again may do it twice. Data class: public. */
  side_effects?: 'none' | 'possible' | 'committed' | 'unknown'
  /** What to look for in the producer’s own logs. Data class: public. */
  reference?: string
}

/** A task was withdrawn. `agent.task.cancelled`, version 1. */
export interface AgentTaskCancelledV1 {
  /** The state of the task, from now on. Data class: public. */
  status: 'cancelled'
  /** What is to be done, in one safe line. Data class: summary. */
  title?: string
  /** The runs that serve the task. Data class: public. */
  run_ids?: string[]
}

/** Nothing has been delivered to an endpoint for a while. `runbell.endpoint.failing`, version 1. */
export interface RunbellEndpointFailingV1 {
  /** The endpoint. Data class: public. */
  endpoint_id: string
  /** The status of the endpoint, from now on. Data class: public. */
  status: 'enabled'
  /** Since when nothing was delivered to it. Data class: public. */
  failing_since: string
  /** How much of the time until it is disabled has passed. Data class: public. */
  percent_elapsed: number
  /** When it will be disabled unless something is delivered before. Data class: public. */
  disabled_at?: string
  /** How many of its deliveries have not ended. Data class: public. */
  pending_deliveries?: number
  /** How the last attempt ended, such as timeout. More codes may come. Data class: public. */
  last_outcome?: string
  /** The HTTP status of the last answer. Data class: public. */
  last_status_code?: number
}

/** An endpoint was disabled: it gets no new events. `runbell.endpoint.disabled`, version 1. */
export interface RunbellEndpointDisabledV1 {
  /** The endpoint. Data class: public. */
  endpoint_id: string
  /** The status of the endpoint, from now on. Data class: public. */
  status: 'disabled'
  /** Why, such as gone. More codes may come. Data class: public. */
  reason: string
  /** Since when nothing was delivered to it. Data class: public. */
  failing_since?: string
  /** How many of its deliveries have not ended. Data class: public. */
  pending_deliveries?: number
  /** When its pending deliveries end unless it is enabled before. Data class: public. */
  pending_until?: string
  /** How the last attempt ended, such as timeout. More codes may come. Data class: public. */
  last_outcome?: string
  /** The HTTP status of the last answer. Data class: public. */
  last_status_code?: number
}

/** A failing endpoint takes events again. `runbell.endpoint.recovered`, version 1. */
export interface RunbellEndpointRecoveredV1 {
  /** The endpoint. Data class: public. */
  endpoint_id: string
  /** The status of the endpoint, from now on. Data class: public. */
  status: 'enabled'
  /** Since when nothing was delivered to it. Data class: public. */
  failing_since?: string
  /** How many of its deliveries have not ended. Data class: public. */
  pending_deliveries?: number
}

/** A delivery became a dead letter. `runbell.delivery.dead_lettered`, version 1. */
export interface RunbellDeliveryDeadLetteredV1 {
  /** The delivery. Data class: public. */
  delivery_id: string
  /** The endpoint. Data class: public. */
  endpoint_id: string
  /** The event that was not delivered. Data class: public. */
  event_id: string
  /** The type of that event. Data class: public. */
  event_type: string
  /** The status of the delivery. Data class: public. */
  status: 'dead_lettered'
  /** Why the delivery ended, such as attempts_exhausted. More codes may come. Data class: public. */
  reason: string
  /** How many attempts it had. Data class: public. */
  attempt_count: number
  /** The run that event is about. Data class: public. */
  run_id?: string
  /** How the last attempt ended, such as timeout. More codes may come. Data class: public. */
  last_outcome?: string
  /** The HTTP status of the last answer. Data class: public. */
  last_status_code?: number
}

/** A request for an approval ended without reaching an endpoint. `runbell.approval.undelivered`, version 1. */
export interface RunbellApprovalUndeliveredV1 {
  /** The approval nobody was told of there. Data class: public. */
  approval_id: string
  /** The delivery. Data class: public. */
  delivery_id: string
  /** The endpoint. Data class: public. */
  endpoint_id: string
  /** The event that was not delivered. Data class: public. */
  event_id: string
  /** The status of the delivery. Data class: public. */
  status: 'dead_lettered' | 'cancelled' | 'expired'
  /** Why the delivery ended, such as attempts_exhausted. More codes may come. Data class: public. */
  reason: string
  /** The run that waits for it. Data class: public. */
  run_id?: string
  /** Until when it can be decided. Data class: public. */
  expires_at?: string
  /** How many attempts it had. Data class: public. */
  attempt_count?: number
  /** How the last attempt ended, such as timeout. More codes may come. Data class: public. */
  last_outcome?: string
  /** The HTTP status of the last answer. Data class: public. */
  last_status_code?: number
}

/** Somebody asked whether an endpoint can be reached. `runbell.ping`, version 1. */
export interface RunbellPingV1 {
  /** The endpoint. Data class: public. */
  endpoint_id: string
}

/** The data of each type, in its current version. */
export interface BuiltInEventData {
  'agent.run.queued': AgentRunQueuedV1
  'agent.run.started': AgentRunStartedV1
  'agent.run.waiting': AgentRunWaitingV1
  'agent.run.resumed': AgentRunResumedV1
  'agent.run.retrying': AgentRunRetryingV1
  'agent.run.handed_off': AgentRunHandedOffV1
  'agent.run.completed': AgentRunCompletedV1
  'agent.run.partially_completed': AgentRunPartiallyCompletedV1
  'agent.run.failed': AgentRunFailedV1
  'agent.run.cancelled': AgentRunCancelledV1
  'agent.run.outcome_unknown': AgentRunOutcomeUnknownV1
  'agent.tool_call.started': AgentToolCallStartedV1
  'agent.tool_call.completed': AgentToolCallCompletedV1
  'agent.tool_call.failed': AgentToolCallFailedV1
  'agent.tool_call.denied': AgentToolCallDeniedV1
  'agent.approval.requested': AgentApprovalRequestedV1
  'agent.approval.approved': AgentApprovalApprovedV1
  'agent.approval.denied': AgentApprovalDeniedV1
  'agent.approval.expired': AgentApprovalExpiredV1
  'agent.approval.cancelled': AgentApprovalCancelledV1
  'agent.message.sent': AgentMessageSentV1
  'agent.escalation.created': AgentEscalationCreatedV1
  'agent.escalation.resolved': AgentEscalationResolvedV1
  'agent.memory.updated': AgentMemoryUpdatedV1
  'agent.artifact.created': AgentArtifactCreatedV1
  'agent.task.created': AgentTaskCreatedV1
  'agent.task.completed': AgentTaskCompletedV1
  'agent.task.failed': AgentTaskFailedV1
  'agent.task.cancelled': AgentTaskCancelledV1
  'runbell.endpoint.failing': RunbellEndpointFailingV1
  'runbell.endpoint.disabled': RunbellEndpointDisabledV1
  'runbell.endpoint.recovered': RunbellEndpointRecoveredV1
  'runbell.delivery.dead_lettered': RunbellDeliveryDeadLetteredV1
  'runbell.approval.undelivered': RunbellApprovalUndeliveredV1
  'runbell.ping': RunbellPingV1
}

/** Any of these events, told apart by `type` and `schema_version`. */
export type BuiltInEvent =
  | (Envelope<'agent.run.queued', AgentRunQueuedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.started', AgentRunStartedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.waiting', AgentRunWaitingV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.resumed', AgentRunResumedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.retrying', AgentRunRetryingV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.handed_off', AgentRunHandedOffV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.completed', AgentRunCompletedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.partially_completed', AgentRunPartiallyCompletedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.failed', AgentRunFailedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.cancelled', AgentRunCancelledV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.run.outcome_unknown', AgentRunOutcomeUnknownV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.tool_call.started', AgentToolCallStartedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.tool_call.completed', AgentToolCallCompletedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.tool_call.failed', AgentToolCallFailedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.tool_call.denied', AgentToolCallDeniedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.approval.requested', AgentApprovalRequestedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.approval.approved', AgentApprovalApprovedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.approval.denied', AgentApprovalDeniedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.approval.expired', AgentApprovalExpiredV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.approval.cancelled', AgentApprovalCancelledV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.message.sent', AgentMessageSentV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.escalation.created', AgentEscalationCreatedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.escalation.resolved', AgentEscalationResolvedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.memory.updated', AgentMemoryUpdatedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.artifact.created', AgentArtifactCreatedV1> & { schema_version: 1 } & { run_id: string; sequence: number })
  | (Envelope<'agent.task.created', AgentTaskCreatedV1> & { schema_version: 1 })
  | (Envelope<'agent.task.completed', AgentTaskCompletedV1> & { schema_version: 1 })
  | (Envelope<'agent.task.failed', AgentTaskFailedV1> & { schema_version: 1 })
  | (Envelope<'agent.task.cancelled', AgentTaskCancelledV1> & { schema_version: 1 })
  | (Envelope<'runbell.endpoint.failing', RunbellEndpointFailingV1> & { schema_version: 1 })
  | (Envelope<'runbell.endpoint.disabled', RunbellEndpointDisabledV1> & { schema_version: 1 })
  | (Envelope<'runbell.endpoint.recovered', RunbellEndpointRecoveredV1> & { schema_version: 1 })
  | (Envelope<'runbell.delivery.dead_lettered', RunbellDeliveryDeadLetteredV1> & { schema_version: 1 })
  | (Envelope<'runbell.approval.undelivered', RunbellApprovalUndeliveredV1> & { schema_version: 1 })
  | (Envelope<'runbell.ping', RunbellPingV1> & { schema_version: 1 })
