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
  /** A once-only fact without a `run_id`, from which its id follows. */
  | 'run_missing'
  /** The option `schemas` has a schema that checks asynchronously, which would let later facts overtake this one. */
  | 'schema_is_async'
  /** `maxOutstanding` events or `maxOutstandingBytes` wait already: this one was dropped. */
  | 'too_many_outstanding'
  /** The server is away and the spool is full, or could not be written. */
  | 'spool_failed'
  /** It lay in the spool for longer than the spool keeps events. */
  | 'spool_expired'
  /** `close` was called before. */
  | 'closed'
  /** An approval was given for another input than the one at hand, or does not say for which. */
  | 'input_binding_mismatch'
  /** Making or checking an `input_binding` needs the option `bindingKeys`. */
  | 'binding_key_missing'

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
