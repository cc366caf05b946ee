import type { ErrorCode, EventError } from '../../catalog/index.ts'
import type { Run } from '../../emit/index.ts'
import { modelFailureCode } from '../model-failure.ts'

/** The framework's exceptions by name. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  AI_NoSuchToolError: 'tool_not_found',
  AI_InvalidToolInputError: 'tool_input_invalid',
  AI_ToolCallRepairError: 'tool_input_invalid',
  AI_InvalidPromptError: 'invalid_input',
  AI_InvalidArgumentError: 'configuration_error',
  AI_InvalidMessageRoleError: 'invalid_input',
  AI_MissingToolResultsError: 'invalid_input',
  AI_InvalidToolApprovalError: 'invalid_input',
  AI_ToolCallNotFoundForApprovalError: 'invalid_input',
  AI_LoadAPIKeyError: 'configuration_error',
  AI_LoadSettingError: 'configuration_error',
  AI_NoSuchModelError: 'configuration_error',
  AI_NoSuchProviderError: 'configuration_error',
  AI_UnsupportedFunctionalityError: 'configuration_error',
  AI_NoObjectGeneratedError: 'invalid_output',
  AI_NoOutputGeneratedError: 'model_error',
}

/** What ended a run: what the framework does not name comes from a model. */
export function runFailure(run: Run, exception: unknown): EventError {
  const known = named(exception)
  if (known !== null) return run.errorOf(exception, known)
  return { ...run.errorOf(exception, modelFailureCode(exception) ?? 'model_error'), origin: 'model' }
}

/** What made a tool fail, or kept it from being called. */
export function toolFailure(run: Run, exception: unknown): EventError {
  return { origin: 'tool', ...run.errorOf(exception, named(exception) ?? 'tool_error') }
}

function named(exception: unknown): ErrorCode | null {
  const name = exception instanceof Error ? exception.name : ''
  return Object.hasOwn(BY_NAME, name) ? (BY_NAME[name] ?? null) : null
}
