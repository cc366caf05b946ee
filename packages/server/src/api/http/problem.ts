import { PROBLEMS, type Problem, type ProblemCode, type ProblemDetail } from '@runbell/sdk/contract'
import type { Refusal } from '../../core/checked-event.ts'
import { maskCredentials } from '../../core/credentials/mask-credentials.ts'
import type { Answer } from './answer.ts'

/** Thrown by a route to answer with a problem; anything else that is thrown is a bug or a store that is away. */
export class Refused extends Error {
  readonly refusal: Refusal
  readonly headers: Record<string, string>

  constructor(refusal: Refusal, headers: Record<string, string> = {}) {
    super(refusal.detail)
    this.name = 'Refused'
    this.refusal = refusal
    this.headers = headers
  }
}

/** Builds the exception to throw. `fix` says in one sentence what to do instead. */
export function refused(
  code: ProblemCode,
  detail: string,
  fix: string,
  errors: ProblemDetail[] = [],
  headers: Record<string, string> = {},
): Refused {
  return new Refused({ code, detail, fix, errors }, headers)
}

/** The same words for what is not there and what belongs to somebody else, so that they cannot be told apart. */
export function notFound(): Refused {
  const detail = 'There is nothing with this id that this API key may see.'
  return refused('not_found', detail, 'Check the id, the mode of the API key (live or test) and its tenant.')
}

export function notFoundRoute(): Refused {
  return refused('not_found', 'There is no such route.', 'See /openapi.json for the routes there are.')
}

/** For what needs a payload that is not there any more. */
export function payloadGone(): Refused {
  return refused(
    'payload_expired',
    'The payload of this event is gone: it was erased, or it is older than payloads are kept.',
    'Publish the fact again under a new event_id.',
  )
}

/** Characters of a name that an answer repeats. */
const MAX_ECHO = 60

/** A name as an answer repeats it: masked before it is cut, because what is left of a credential is not known as one. */
export function echoOf(name: string): string {
  return withoutCredentials(name).slice(0, MAX_ECHO)
}

/** Names are repeated so that they can be found, and a name may be a credential that was put in the wrong place. */
function withoutCredentials(text: string): string {
  return maskCredentials(text)?.text ?? text
}

/** One or more wrong fields. */
export function invalid(errors: ProblemDetail[], fix = 'Correct the fields that `errors` names.'): Refused {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `
  return refused('invalid_request', `${where}${first?.message ?? 'The request is not valid'}${more}.`, fix, errors)
}

/** Seconds after which a retry is worth it; a full disk takes somebody's hand, the rest passes by itself. */
const RETRY_AFTER: Partial<Record<ProblemCode, string>> = { unavailable: '1', storage_full: '30' }

/** The problem details of a refusal (RFC 9457). */
export function renderProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title, retryable } = PROBLEMS[refusal.code]
  return {
    type: `/problems/${refusal.code}`,
    title,
    status,
    detail: withoutCredentials(refusal.detail),
    code: refusal.code,
    errors: refusal.errors.map((error) => ({
      ...error,
      path: withoutCredentials(error.path),
      message: withoutCredentials(error.message),
    })),
    retryable,
    suggested_fix: withoutCredentials(refusal.fix),
    request_id: requestId,
  }
}

export function problemAnswer(refusal: Refusal, requestId: string, extra: Record<string, string> = {}): Answer {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', ...extra }
  const retryAfter = RETRY_AFTER[refusal.code]
  if (retryAfter !== undefined) headers['retry-after'] ??= retryAfter
  if (refusal.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer'
  const problem = renderProblem(refusal, requestId)
  return { status: problem.status, headers, body: JSON.stringify(problem) }
}
