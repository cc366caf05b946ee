import type { AcceptItem, PreparedBody } from './accept.ts'
import type { ClassMask } from '../core/data-classes.ts'
import { completePrefix, type PreparedEnvelope } from '../core/render.ts'

/**
 * The data classes of the body that a target gets.
 * @throws Error where there is no such body: the uncut one in its place would send what was not granted
 */
export function classesAt(item: Pick<AcceptItem, 'bodies' | 'classes'>, index: number): ClassMask {
  if (index === -1) return item.classes
  const body = item.bodies[index]
  if (body === undefined) throw new Error(`a target asks for body ${index} of ${item.bodies.length}`)
  return body.classes
}

/** The bytes of an item's uncut body (-1) or of one of its `bodies`, as its endpoints receive them. */
export function bodyAt(
  item: Pick<AcceptItem, 'envelope' | 'source' | 'dataStart' | 'dataEnd' | 'bodies'>,
  index: number,
  recordedAt: number,
  sequence: number | null,
): Uint8Array<ArrayBuffer> {
  if (index === -1) return completeBody(item, recordedAt, sequence)
  return completePrepared(item.bodies[index] as PreparedBody, recordedAt, sequence)
}

/** The uncut body: the envelope up to `data`, the producer's own bytes of `data`, and `}`. */
export function completeBody(
  event: { envelope: PreparedEnvelope; source: Uint8Array; dataStart: number; dataEnd: number },
  recordedAt: number,
  sequence: number | null,
): Uint8Array<ArrayBuffer> {
  const prefix = completePrefix(event.envelope, recordedAt, sequence)
  return joinBody(Buffer.from(prefix, 'utf8'), event.source.subarray(event.dataStart, event.dataEnd))
}

/** A body that was rendered as far as it could be: its two holes filled. */
export function completePrepared(
  { envelope, rest }: Pick<PreparedBody, 'envelope' | 'rest'>,
  recordedAt: number,
  sequence: number | null,
): Uint8Array<ArrayBuffer> {
  const prefix = Buffer.from(completePrefix(envelope, recordedAt, sequence), 'utf8')
  const body = new Uint8Array(prefix.length + rest.length)
  body.set(prefix)
  body.set(rest, prefix.length)
  return body
}

/** Prefix, data and the closing brace in one array. */
export function joinBody(prefix: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(prefix.length + data.length + 1)
  body.set(prefix, 0)
  body.set(data, prefix.length)
  body[body.length - 1] = 0x7d
  return body
}
