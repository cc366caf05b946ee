import { idPrefix, typeIdSuffix, type Mode } from '../contract/index.ts'

/**
 * A new event id: `evt_` (`evt_test_` in test mode) and a TypeID suffix over a UUIDv7 (RFC 9562, section 5.7), so that
 * ids are ordered by time. Made once per event by its producer, so that a retry is recognised as a duplicate.
 * @param now milliseconds since 1970
 */
export function newEventId(mode: Mode, now: number): string {
  const uuid = crypto.getRandomValues(new Uint8Array(16))
  let time = now
  // 48 bits of milliseconds; not by shifts, which stop at 32.
  for (let index = 5; index >= 0; index--) {
    uuid[index] = time % 256
    time = Math.floor(time / 256)
  }
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x70
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80
  return idPrefix('event', mode) + typeIdSuffix(uuid)
}
