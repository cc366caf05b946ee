/**
 * Every error code the API can answer with: one registry, codes are never reused and never renamed.
 * `title` is the same for every occurrence; `retryable` says whether the same request can succeed later.
 */
export const PROBLEMS = {
  malformed_http: { status: 400, title: 'This is not a valid HTTP request', retryable: false },
  malformed_json: { status: 400, title: 'The body is not valid JSON', retryable: false },
  duplicate_key: { status: 400, title: 'An object has the same key twice', retryable: false },
  too_deep: { status: 400, title: 'The JSON is nested too deeply', retryable: false },
  cursor_invalid: { status: 400, title: 'The cursor is not one this server made', retryable: false },
  unauthenticated: { status: 401, title: 'A valid API key is needed', retryable: false },
  insufficient_scope: { status: 403, title: 'This API key may not do that', retryable: false },
  not_found: { status: 404, title: 'There is nothing here', retryable: false },
  request_timeout: { status: 408, title: 'The request came too slowly', retryable: true },
  event_conflict: { status: 409, title: 'This id is taken by an event with other bytes', retryable: false },
  run_already_ended: { status: 409, title: 'This run has already ended', retryable: false },
  approval_already_decided: { status: 409, title: 'This approval is already decided', retryable: false },
  ambiguous_id: { status: 409, title: 'Two tenants have something with this id', retryable: false },
  policy_changed: { status: 409, title: 'The endpoint may no longer receive this body', retryable: false },
  state_conflict: { status: 409, title: 'That does not fit the present state', retryable: false },
  payload_expired: { status: 410, title: 'The payload is no longer kept', retryable: false },
  payload_too_large: { status: 413, title: 'The request is too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'This content type is not accepted here', retryable: false },
  schema_mismatch: { status: 422, title: 'The data does not match the schema of its type', retryable: false },
  unknown_event_type: { status: 422, title: 'There is no such event type', retryable: false },
  url_not_allowed: { status: 422, title: 'This URL may not be an endpoint', retryable: false },
  header_not_allowed: { status: 422, title: 'This header may not be set', retryable: false },
  invalid_request: { status: 422, title: 'The request has invalid fields', retryable: false },
  headers_too_large: { status: 431, title: 'The request has too many or too long headers', retryable: false },
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  quota_exceeded: { status: 429, title: 'A quota is used up', retryable: true },
  run_event_budget_exceeded: { status: 429, title: 'This run has used up its event budget', retryable: false },
  method_not_allowed: { status: 405, title: 'This route does not have that method', retryable: false },
  unavailable: { status: 503, title: 'The service cannot answer right now', retryable: true },
  storage_full: { status: 507, title: 'There is no space to store this', retryable: true },
  internal: { status: 500, title: 'The service made a mistake', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>

export type ProblemCode = keyof typeof PROBLEMS

/** One wrong place in a request. `path` is a JSON Pointer (RFC 6901); empty for the whole body. */
export interface ProblemDetail {
  path: string
  message: string
  /** What to do about this one, where there is something to say. */
  suggested_fix?: string
}

/** RFC 9457 problem details, content type `application/problem+json`. */
export interface Problem {
  /** A page that the server itself serves. */
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  errors: ProblemDetail[]
  retryable: boolean
  suggested_fix: string
  request_id: string
}
