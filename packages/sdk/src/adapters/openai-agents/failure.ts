import type { ErrorCode, EventError } from '../../catalog/index.ts'
import type { Run } from '../../emit/index.ts'
import { modelFailureCode } from '../model-failure.ts'

/** The framework's exceptions by name. Whatever it does not name comes from a model's client. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  MaxTurnsExceededError: 'max_turns_exceeded',
  ModelRefusalError: 'model_refused',
  ModelTimeoutError: 'timeout',
  ModelBehaviorError: 'model_error',
  ToolTimeoutError: 'timeout',
  ToolCallError: 'tool_error',
  InvalidToolInputError: 'tool_input_invalid',
  InvalidToolOutputError: 'invalid_output',
  InputGuardrailTripwireTriggered: 'guardrail_blocked',
  OutputGuardrailTripwireTriggered: 'guardrail_blocked',
  ToolInputGuardrailTripwireTriggered: 'guardrail_blocked',
  ToolOutputGuardrailTripwireTriggered: 'guardrail_blocked',
  GuardrailExecutionError: 'internal_error',
  UserError: 'configuration_error',
  SystemError: 'internal_error',
}

/** What ended a run. */
export function runFailure(run: Run, exception: unknown): EventError {
  const name = nameOf(exception)
  if (name === 'ToolCallError') return toolFailure(run, (exception as { error?: unknown }).error)
  const known = BY_NAME[name]
  if (known !== undefined) return { ...run.errorOf(exception, known), ...origin(known) }
  return { ...run.errorOf(exception, modelFailureCode(exception) ?? 'model_error'), origin: 'model' }
}

/** What made a tool fail. */
export function toolFailure(run: Run, exception: unknown): EventError {
  return { origin: 'tool', ...run.errorOf(exception, BY_NAME[nameOf(exception)] ?? 'tool_error') }
}

function origin(code: ErrorCode): { origin?: 'model' } {
  return code.startsWith('model_') ? { origin: 'model' } : {}
}

function nameOf(exception: unknown): string {
  const name = exception instanceof Error ? exception.name : ''
  return Object.hasOwn(BY_NAME, name) ? name : ''
}
