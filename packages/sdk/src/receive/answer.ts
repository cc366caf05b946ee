import type { VerifyFailure, VerifyFailureReason } from '../signing/index.ts'

/** Why a receiver did not take a request. Closed: codes may be added, never renamed. */
export type ReceiveProblemCode =
  | VerifyFailureReason
  | 'method_not_allowed'
  | 'body_too_large'
  | 'body_already_read'
  | 'body_incomplete'
  | 'malformed_json'
  | 'not_an_event'
  | 'event_in_progress'
  | 'handler_failed'
  | 'retry_later'
  | 'store_failed'

/** The JSON a sender gets back. Holds no secret, nothing of the body and no text of an exception. */
export type ReceiveBody =
  /**
   * `handled` is false where no handler is there for this type; `duplicate` is true where it was handled before;
   * `failed` where a handler said that it never can.
   */
  | { event_id: string; handled: boolean; duplicate: boolean; failed?: true }
  | { code: ReceiveProblemCode; message: string; fix: string }

export interface ReceiveAnswer {
  status: number
  headers: Record<string, string>
  body: ReceiveBody
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' }

export function taken(eventId: string, how: { handled: boolean; duplicate: boolean; failed?: true }): ReceiveAnswer {
  return { status: 200, headers: { ...JSON_HEADERS }, body: { event_id: eventId, ...how } }
}

export function problem(
  status: number,
  code: ReceiveProblemCode,
  message: string,
  fix: string,
  headers: Record<string, string> = {},
): ReceiveAnswer {
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: { code, message, fix } }
}

/**
 * 401: signed by no one we know, or not now. 400: not a signed request at all. 500: this receiver is set up wrongly, and
 * the sender should come again when that is repaired.
 */
const VERIFY_STATUS: Record<VerifyFailureReason, 400 | 401 | 500> = {
  missing_header: 400,
  repeated_header: 400,
  malformed_id: 400,
  malformed_timestamp: 400,
  malformed_signature: 400,
  too_many_signatures: 400,
  timestamp_too_old: 401,
  timestamp_in_future: 401,
  no_supported_signature: 401,
  wrong_signature: 401,
  body_not_raw: 500,
  no_secret: 500,
  malformed_secret: 500,
  unsupported_runtime: 500,
}

export function unverified(failure: VerifyFailure): ReceiveAnswer {
  return problem(VERIFY_STATUS[failure.reason], failure.reason, failure.message, failure.fix)
}

export function notPost(method: string): ReceiveAnswer {
  const message = `Events come with POST, not ${/^[A-Z]{1,16}$/.test(method) ? method : 'this method'}.`
  return problem(405, 'method_not_allowed', message, 'Send it with POST.', { allow: 'POST' })
}

export function tooLarge(maxBytes: number): ReceiveAnswer {
  return problem(
    413,
    'body_too_large',
    `The body has more than ${maxBytes} bytes.`,
    'Raise maxBodyBytes of the receiver.',
  )
}

export function alreadyRead(how: string): ReceiveAnswer {
  const message =
    'Something read the body before the receiver, so its bytes are gone and the signature cannot be checked.'
  return problem(500, 'body_already_read', message, how)
}

export function incomplete(): ReceiveAnswer {
  return problem(400, 'body_incomplete', 'The body ended before it was complete.', 'Send it again.')
}
