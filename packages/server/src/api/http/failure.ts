import type { Logger } from 'pino'
import type { Refusal } from '../../core/checked-event.ts'
import { StoreUnavailable } from '../../store/store.ts'
import type { Answer } from './answer.ts'
import { Refused, problemAnswer } from './problem.ts'

/**
 * What to tell the client about something thrown. Details of our own faults go to the log, under the request's id,
 * and never into an answer.
 */
export function refusalOfError(error: unknown, log: Logger, requestId: string): Refusal {
  if (error instanceof Refused) return error.refusal
  const fix = 'Send the same request again, with the same ids, after the time in Retry-After.'
  if (error instanceof StoreUnavailable) {
    log.warn({ request_id: requestId, err: error }, 'the store cannot answer')
    const detail =
      error.code === 'storage_full'
        ? 'There is no space left to store this; reading still works.'
        : 'The database cannot be reached or cannot write right now.'
    return { code: error.code, detail, errors: [], fix }
  }
  log.error({ request_id: requestId, err: error }, 'request failed')
  const detail = 'Something went wrong on our side; the log has it under this request_id.'
  return { code: 'internal', detail, errors: [], fix: 'Try again; if it stays, report the request_id.' }
}

export function answerError(error: unknown, log: Logger, requestId: string): Answer {
  const extra = error instanceof Refused ? error.headers : {}
  return problemAnswer(refusalOfError(error, log, requestId), requestId, extra)
}
