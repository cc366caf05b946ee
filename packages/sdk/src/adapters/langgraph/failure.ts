import type { ErrorCode, EventError } from '../../catalog/index.ts'
import type { Run } from '../../emit/index.ts'
import { modelFailureCode } from '../model-failure.ts'

/** The framework's exceptions by name. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  GraphRecursionError: 'max_turns_exceeded',
  NodeTimeoutError: 'timeout',
  GraphValueError: 'configuration_error',
  InvalidUpdateError: 'configuration_error',
  UnreachableNodeError: 'configuration_error',
  MultipleSubgraphsError: 'configuration_error',
  EmptyInputError: 'invalid_input',
  StateGraphInputError: 'invalid_input',
  ToolInputParsingException: 'tool_input_invalid',
}

/** Who threw what, as the callbacks before the end told it. */
export interface Thrown {
  byModel: WeakSet<object>
  byTool: WeakSet<object>
}

/** What ended a run: the same exception was seen at a model or a tool before, or it is a node's own. */
export function runFailure(run: Run, exception: unknown, thrown: Thrown): EventError {
  const isObject = typeof exception === 'object' && exception !== null
  if (isObject && thrown.byTool.has(exception)) return toolFailure(run, exception)
  const code = modelFailureCode(exception)
  if (code === null && !(isObject && thrown.byModel.has(exception))) {
    return run.errorOf(exception, nameOf(exception) ?? 'internal_error')
  }
  return { ...run.errorOf(exception, code ?? 'model_error'), origin: 'model' }
}

export function toolFailure(run: Run, exception: unknown): EventError {
  return { origin: 'tool', ...run.errorOf(exception, nameOf(exception) ?? 'tool_error') }
}

function nameOf(exception: unknown): ErrorCode | null {
  const name = exception instanceof Error ? exception.name : ''
  return Object.hasOwn(BY_NAME, name) ? (BY_NAME[name] ?? null) : null
}
