import type { Accepted, BatchAccepted, BatchResult, Problem } from '../contract/index.ts'
import { EmitError } from './emit-error.ts'
import type { HttpOutcome } from './http.ts'

/** What an attempt to publish came to. */
export type PublishOutcome =
  | { kind: 'accepted'; accepted: Accepted }
  /** `retryAfter`: the header, as it came. */
  | { kind: 'refused'; error: EmitError; retryAfter: string | null }

/** Reads what came back from `POST /v1/events`. */
export function readOutcome(outcome: HttpOutcome): PublishOutcome {
  const read = readJson(outcome)
  if ('error' in read) return { kind: 'refused', ...read }
  if (typeof read.value['event_id'] !== 'string') return { kind: 'refused', ...unexpectedAnswer(read.status) }
  return { kind: 'accepted', accepted: read.value as unknown as Accepted }
}

/** Reads what came back from `POST /v1/events/batch`: one outcome for each event, in order. */
export function readBatchOutcome(outcome: HttpOutcome, count: number): PublishOutcome[] {
  const read = readJson(outcome)
  const refused = (answer: Refusal): PublishOutcome[] =>
    Array.from({ length: count }, () => ({ kind: 'refused', ...answer }))
  if ('error' in read) return refused(read)
  const { results } = read.value as unknown as Partial<BatchAccepted>
  if (!Array.isArray(results) || results.length !== count) return refused(unexpectedAnswer(read.status))
  return results.map((result) => readResult(result, read.retryAfter))
}

function readResult(result: BatchResult, retryAfter: string | null): PublishOutcome {
  if (result.status === 'rejected') {
    const { problem } = result
    return { kind: 'refused', error: errorOf(problem, problem.status), retryAfter }
  }
  const { status, ...accepted } = result
  return { kind: 'accepted', accepted: { ...accepted, duplicate: status === 'duplicate' } }
}

interface Refusal {
  error: EmitError
  retryAfter: string | null
}

/** A 2xx with a JSON object in it, or why there is none. */
export function readJson(
  outcome: HttpOutcome,
): { status: number; value: Record<string, unknown>; retryAfter: string | null } | Refusal {
  switch (outcome.kind) {
    case 'answered':
      return readAnswer(outcome.status, outcome.text, outcome.retryAfter)
    case 'timed_out':
      return failed('timed_out', 'The server did not answer in time.', 'Check that it runs, or raise timeoutMs.')
    case 'aborted':
      return { error: abortedError(), retryAfter: null }
    case 'failed':
      return failed(
        'network_failed',
        'The server could not be reached.',
        'Check url and that the server runs.',
        outcome.cause,
      )
  }
}

/** The caller's signal ended it. The event may have been published all the same. */
export function abortedError(): EmitError {
  const fix = 'Emit it again with the same event_id if it shall be published.'
  return new EmitError({ code: 'aborted', message: 'Emitting was aborted.', fix, retryable: false })
}

function failed(code: 'timed_out' | 'network_failed', message: string, fix: string, cause?: unknown): Refusal {
  return { error: new EmitError({ code, message, fix, retryable: true, cause }), retryAfter: null }
}

function readAnswer(status: number, text: string, retryAfter: string | null): ReturnType<typeof readJson> {
  const value = parse(text)
  if (status >= 200 && status < 300 && value !== null) return { status, value, retryAfter }
  if (typeof value?.['code'] === 'string' && status >= 400) {
    const problem = value as unknown as Partial<Problem> & Pick<Problem, 'code'>
    return { error: errorOf(problem, status), retryAfter }
  }
  return { ...unexpectedAnswer(status), retryAfter }
}

function errorOf(problem: Partial<Problem> & Pick<Problem, 'code'>, status: number): EmitError {
  return new EmitError({
    code: problem.code,
    message: problem.detail ?? problem.title ?? `The server answered ${status}.`,
    fix: problem.suggested_fix ?? '',
    // A budget that is used up is a 429 too, and waiting does not fill it.
    retryable: isTemporary(status) && problem.retryable !== false,
    status,
    requestId: problem.request_id ?? null,
  })
}

function unexpectedAnswer(status: number): Refusal {
  const message = `The answer (status ${status}) is not one of a Runbell server.`
  const fix = 'Check url: it is the base URL of the server, without /v1, and is not redirected.'
  const error = new EmitError({ code: 'unexpected_answer', message, fix, retryable: isTemporary(status), status })
  return { error, retryAfter: null }
}

/** What stands between us and the server answers 408, 429 and 5xx too, with a body of its own. */
function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
