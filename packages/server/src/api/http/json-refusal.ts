import type { ProblemCode } from '@runbell/sdk/contract'
import type { Refusal } from '../../core/checked-event.ts'
import type { JsonError, JsonErrorCode } from '../../core/json-error.ts'

const CODES: Record<JsonErrorCode, { code: ProblemCode; fix: string }> = {
  malformed_json: {
    code: 'malformed_json',
    fix: 'Send one JSON value in UTF-8 (RFC 8259), without a byte order mark.',
  },
  duplicate_key: { code: 'duplicate_key', fix: 'Name each member of an object once.' },
  too_deep: { code: 'too_deep', fix: 'Nest arrays and objects less deeply.' },
  too_many_members: { code: 'payload_too_large', fix: 'Send fewer members, or a reference to the content.' },
  too_many_items: { code: 'payload_too_large', fix: 'Send the events in several batches.' },
}

/** What the scanner found, with the place: a JSON Pointer and the byte offset. */
export function refusalOfJson(error: JsonError): Refusal {
  const { code, fix } = CODES[error.code]
  const { path, offset, message } = error
  const place = message.includes(`at byte ${offset}`) ? '' : ` at byte ${offset}`
  const where = path === '' ? '' : `, in ${path}`
  return { code, detail: `JSON: ${message}${place}${where}.`, errors: [{ path, message: `${message}${place}` }], fix }
}
