/**
 * An id that can stand in a signing input: 1 to 256 printable ASCII characters without a dot. With a dot in it, the same
 * signed bytes could be read as another id, another timestamp and another body.
 */
export const WEBHOOK_ID_PATTERN = /^[\x21-\x2d\x2f-\x7e]{1,256}$/

/** Seconds since 1970, written in one way only: digits, no sign, no leading zero, at most 12. */
export const WEBHOOK_TIMESTAMP_PATTERN = /^(?:0|[1-9][0-9]{0,11})$/

const MAX_TIMESTAMP = 999_999_999_999

/**
 * What is signed before the bytes of the body: `${id}.${timestamp}.`. ASCII only.
 * Source: Standard Webhooks, "Signature scheme".
 * @param timestamp Unix seconds of the attempt
 * @throws TypeError for an id with a dot, a space or outside ASCII, and for a timestamp that is not whole seconds
 */
export function signedPrefix(id: string, timestamp: number): string {
  if (!WEBHOOK_ID_PATTERN.test(id))
    throw new TypeError('a webhook id has 1 to 256 printable ASCII characters and no dot')
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp > MAX_TIMESTAMP) {
    throw new TypeError('a webhook timestamp is in whole Unix seconds')
  }
  return `${id}.${timestamp}.`
}

const encoder = new TextEncoder()

/** Prefix and body as one byte string, for WebCrypto, which cannot take them one after the other. */
export function signingInput(prefix: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(prefix)
  const input = new Uint8Array(head.length + body.length)
  input.set(head)
  input.set(body, head.length)
  return input
}
