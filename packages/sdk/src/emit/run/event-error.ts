import type { ErrorCode, EventError } from '../../catalog/index.ts'
import { ERROR_TEMPLATES } from './error-templates.ts'

/** `error.message` inside events holds at most this many characters. */
const MAX_MESSAGE = 300

/**
 * The `error` of an event: the text is that of its code unless you give one. Never give it the text of an exception, which
 * may hold anything.
 */
export function eventError(code: ErrorCode, facts: Partial<Omit<EventError, 'code'>> = {}): EventError {
  const { message, retryable } = ERROR_TEMPLATES[code] ?? ERROR_TEMPLATES.unknown
  return { code, retryable, ...facts, message: oneLine(facts.message ?? message) }
}

/** An exception of which everything may be told. Throw it in a run or a tool to say what went wrong. */
export class AgentError extends Error {
  readonly eventError: EventError

  constructor(code: ErrorCode, facts: Partial<Omit<EventError, 'code'>> & { cause?: unknown } = {}) {
    const { cause, ...told } = facts
    const error = eventError(code, told)
    super(error.message, cause === undefined ? undefined : { cause })
    this.name = 'AgentError'
    this.eventError = error
  }
}

const TIMEOUT_CODES = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'UND_ERR_SOCKET',
])

/**
 * What of an exception may be told: a code by its class. Its message, its stack and its fields never leave: a password in an
 * error message reaches every hook of every framework.
 * @param otherwise where its class says nothing
 * @param classify the producer's own reading, which goes first
 */
export function classifyException(
  exception: unknown,
  otherwise: ErrorCode,
  classify: (exception: unknown) => Partial<EventError> | undefined,
): EventError {
  if (exception instanceof AgentError) return exception.eventError
  try {
    const { code, ...facts } = classify(exception) ?? {}
    return eventError(code ?? codeOf(exception) ?? otherwise, facts)
  } catch {
    // Getters can throw, and so can what the producer wrote: the run has failed all the same.
    return eventError(otherwise)
  }
}

function codeOf(exception: unknown): ErrorCode | null {
  for (let at = exception, depth = 0; typeof at === 'object' && at !== null && depth < 3; depth++) {
    const { name, code, cause } = at as { name?: unknown; code?: unknown; cause?: unknown }
    if (name === 'TimeoutError') return 'timeout'
    if (name === 'AbortError') return 'interrupted'
    if (typeof code === 'string' && TIMEOUT_CODES.has(code)) return 'timeout'
    if (typeof code === 'string' && CONNECTION_CODES.has(code)) return 'dependency_failed'
    // What `fetch` throws says the reason only there.
    at = cause
  }
  return null
}

/** A server refuses control characters in such texts. */
function oneLine(text: string): string {
  return [...text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')].slice(0, MAX_MESSAGE).join('')
}
