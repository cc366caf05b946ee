import { idPrefix, typeIdSuffix, type IdKind, type Mode } from '@runbell/sdk/contract'
import type { RandomSource } from './clock.ts'

/** A new id of this kind: a TypeID over UUIDv7 (RFC 9562, section 5.7), so that ids are ordered by time. */
export function newId(kind: IdKind, mode: Mode, now: number, random: RandomSource): string {
  const uuid = new Uint8Array(16)
  uuid.set(random.bytes(10), 6)
  let time = now
  for (let index = 5; index >= 0; index--) {
    uuid[index] = time % 256
    time = Math.floor(time / 256)
  }
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x70
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80
  return idPrefix(kind, mode) + typeIdSuffix(uuid)
}
