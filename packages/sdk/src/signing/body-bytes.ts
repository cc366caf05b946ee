/** A body as it was on the wire. A string is taken as UTF-8; a `Buffer` is a `Uint8Array`. */
export type RawBody = string | Uint8Array | ArrayBuffer

const encoder = new TextEncoder()

/** The bytes of a raw body (a view, not a copy, where it already is bytes), or `null` where it is something else. */
export function bodyBytes(body: unknown): Uint8Array | null {
  if (typeof body === 'string') return encoder.encode(body)
  if (body instanceof Uint8Array) return body
  // Not `instanceof`: buffers of another realm (test environments, vm contexts) are not ours.
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  if (Object.prototype.toString.call(body) === '[object ArrayBuffer]') return new Uint8Array(body as ArrayBuffer)
  return null
}
