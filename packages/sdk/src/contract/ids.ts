import type { Mode } from './vocabulary.ts'

/** `event_id`: 12 to 68 characters after `evt_`, never a dot, so that it can stand in a signature input. */
export const EVENT_ID_PATTERN = /^evt_[A-Za-z0-9_-]{8,64}$/

/** Run, task, tool call and other ids that the producer's framework makes: 1 to 128 characters. */
export const PRODUCER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:/@=+-]{0,127}$/

/** W3C trace id: 32 lower-case hex digits (Trace Context, section 3.2.2.3). */
export const TRACE_ID_PATTERN = /^[0-9a-f]{32}$/

/** An event type's name: two to five segments of `[a-z][a-z0-9_]*`, at most 100 characters. */
export const EVENT_TYPE_PATTERN = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,4}$/
export const EVENT_TYPE_MAX_LENGTH = 100

/** Ids that Runbell makes itself start with one of these, by kind. */
export const ID_PREFIXES = {
  event: 'evt',
  endpoint: 'ep',
  delivery: 'dlv',
  attempt: 'att',
  secret: 'sec',
  apiKey: 'key',
  run: 'run',
  diagnostic: 'diag',
  replay: 'rpl',
} as const
export type IdKind = keyof typeof ID_PREFIXES

/** The prefix an id of this kind carries in this mode: `evt_` in live mode, `evt_test_` in test mode. */
export function idPrefix(kind: IdKind, mode: Mode): string {
  return mode === 'test' ? `${ID_PREFIXES[kind]}_test_` : `${ID_PREFIXES[kind]}_`
}

/** Whether an event id belongs to this mode: `evt_test_…` is required in test mode and refused in live. */
export function eventIdFitsMode(eventId: string, mode: Mode): boolean {
  return eventId.startsWith('evt_test_') === (mode === 'test')
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A TypeID suffix: the 128 bits of a UUID in 26 characters of lower-case Crockford base 32.
 * Time-ordered when the UUID is version 7, so that indexes grow at their end.
 * Source: TypeID specification 0.3, "Base32 encoding".
 * @param uuid 16 bytes, most significant first
 */
export function typeIdSuffix(uuid: Uint8Array): string {
  let text = ''
  // 130 bits in 26 groups of 5: two leading zero bits, then the 128 of the UUID.
  let buffer = 0
  let bits = 2
  for (const byte of uuid) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += CROCKFORD[(buffer >>> bits) & 31]
      buffer &= (1 << bits) - 1
    }
  }
  return text
}
