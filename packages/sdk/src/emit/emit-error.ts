import type { ProblemCode } from '../contract/index.ts'

/** What went wrong before the server could say so itself; else the server's own problem code. */
export type EmitErrorCode =
  | ProblemCode
  /** The server could not be reached, or the connection broke. */
  | 'network_failed'
  /** No answer within `timeoutMs`. */
  | 'timed_out'
  | 'aborted'
  /** The answer is not one of a Runbell server: a wrong URL, a proxy, a redirect. */
  | 'unexpected_answer'
  /** `data` cannot be turned into JSON (a BigInt, a cycle). */
  | 'not_serialisable'
  | 'agent_missing'
  /** `maxOutstanding` events are being sent already. */
  | 'too_many_outstanding'

export interface EmitErrorFacts {
  code: EmitErrorCode
  message: string
  /** What to do, in one sentence. */
  fix: string
  /** Whether sending the same event again may succeed. */
  retryable: boolean
  /** HTTP status of the last answer; `null` without one. */
  status?: number | null
  /** `request_id` of the last answer, for the server's log. */
  requestId?: string | null
  cause?: unknown
}

/** Why an event was not published. Holds nothing of `data` and not the key. */
export class EmitError extends Error {
  readonly code: EmitErrorCode
  readonly fix: string
  readonly retryable: boolean
  readonly status: number | null
  readonly requestId: string | null

  constructor(facts: EmitErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'EmitError'
    this.code = facts.code
    this.fix = facts.fix
    this.retryable = facts.retryable
    this.status = facts.status ?? null
    this.requestId = facts.requestId ?? null
  }
}
