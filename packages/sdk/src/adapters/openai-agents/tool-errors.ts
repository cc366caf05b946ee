/** What tools threw, by their call. The framework turns it into text for the model before anybody else sees it. */
const thrown = new WeakMap<object, unknown>()

/** What the framework answers the model with where a tool has no `errorFunction`. */
export const DEFAULT_TOOL_ERROR = 'An error occurred while running the tool. Please try again.'

type ErrorFunction = (context: never, error: unknown, details?: { toolCall?: object }) => string | Promise<string>

/**
 * An `errorFunction` for tools: the adapter then knows which exception a tool failed with, also where tracing is off, and can
 * tell a timeout from a missing right. The model gets what `answer` says.
 * @param answer @default the framework's own sentence, which says nothing of the exception
 */
export function noteToolError(answer: ErrorFunction = () => DEFAULT_TOOL_ERROR): ErrorFunction {
  return (context, error, details) => {
    if (details?.toolCall !== undefined) thrown.set(details.toolCall, error)
    return answer(context, error, details)
  }
}

/** What the tool of this call threw, as far as it was noted. */
export function notedError(toolCall: object): { exception: unknown } | null {
  return thrown.has(toolCall) ? { exception: thrown.get(toolCall) } : null
}
