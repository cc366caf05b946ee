/** Why a request was refused. Closed: codes may be added, never renamed. */
export const VERIFY_FAILURES = [
  'missing_header',
  'repeated_header',
  'malformed_id',
  'malformed_timestamp',
  'timestamp_too_old',
  'timestamp_in_future',
  'malformed_signature',
  'too_many_signatures',
  'no_supported_signature',
  'wrong_signature',
  'body_not_raw',
  'no_secret',
  'malformed_secret',
  'unsupported_runtime',
] as const
export type VerifyFailureReason = (typeof VERIFY_FAILURES)[number]

/** How the body was changed on its way, where undoing that change made the signature right. Proven, not guessed. */
export const BODY_CHANGES = [
  'bom_added',
  'bom_removed',
  'final_newline_added',
  'final_newline_removed',
  'lf_became_crlf',
  'crlf_became_lf',
  'utf8_read_as_latin1',
  'utf8_sent_as_latin1',
  'json_reformatted',
] as const
export type BodyChange = (typeof BODY_CHANGES)[number]

export interface Verified {
  ok: true
  /** The `webhook-id`: the same on every attempt and replay. Drop duplicates by it. */
  id: string
  /** Unix seconds of the attempt. */
  timestamp: number
  /** Which of the given secrets signed it, from 0. */
  secretIndex: number
}

export interface VerifyFailure {
  ok: false
  reason: VerifyFailureReason
  /** What is wrong, in one or two sentences. Holds no secret and nothing of the body. */
  message: string
  /** What to do about it. */
  fix: string
  /** With `wrong_signature` only. */
  likelyCause?: BodyChange
}

export type Verification = Verified | VerifyFailure

export function refuse(reason: VerifyFailureReason, message: string, fix: string): VerifyFailure {
  return { ok: false, reason, message, fix }
}
