import type { Envelope } from '../contract/index.ts'
import { problem, type ReceiveAnswer } from './answer.ts'

const RAW_FORMAT = 'Let the endpoint use format "runbell" or "thin"; other formats are verified with verifyWebhook().'

/** The event in a verified body. Says nothing about `data`, whose schema is the type's. */
export function readEvent(body: Uint8Array, id: string): { event: Envelope } | { answer: ReceiveAnswer } {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return { answer: problem(400, 'malformed_json', 'The body is signed but is not JSON in UTF-8.', RAW_FORMAT) }
  }
  if (!hasNames(value)) {
    const message = 'The body is signed but is not an event: it has no event_id or no type.'
    return { answer: problem(400, 'not_an_event', message, RAW_FORMAT) }
  }
  if (value.event_id !== id) {
    const message = 'The event_id in the body is not the id in the headers.'
    return {
      answer: problem(400, 'not_an_event', message, 'Let the sender use the event_id as the id of the request.'),
    }
  }
  return { event: value as unknown as Envelope }
}

function hasNames(value: unknown): value is { event_id: string; type: string } {
  if (typeof value !== 'object' || value === null) return false
  const { event_id: eventId, type } = value as { event_id?: unknown; type?: unknown }
  return typeof eventId === 'string' && typeof type === 'string'
}
