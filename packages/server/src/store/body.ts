import type { CheckedEvent } from '../core/checked-event.ts'
import { completePrefix } from '../core/render.ts'

/** The exact bytes an endpoint receives: the envelope up to `data`, the producer's own bytes of `data`, and `}`. */
export function completeBody(
  event: Pick<CheckedEvent, 'envelope' | 'source' | 'dataStart' | 'dataEnd'>,
  recordedAt: number,
  sequence: number | null,
): Uint8Array {
  const prefix = completePrefix(event.envelope, recordedAt, sequence)
  return joinBody(Buffer.from(prefix, 'utf8'), event.source.subarray(event.dataStart, event.dataEnd))
}

/** Prefix, data and the closing brace in one array. */
export function joinBody(prefix: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(prefix.length + data.length + 1)
  body.set(prefix, 0)
  body.set(data, prefix.length)
  body[body.length - 1] = 0x7d
  return body
}
