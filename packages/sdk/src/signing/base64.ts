// `Uint8Array.fromBase64` is not in Node 20, and `Buffer` is not on the edge; `atob` and `btoa` are everywhere.

/** Base64 with padding (RFC 4648, section 4). For short inputs: keys and signatures, at most 64 KiB. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The bytes, or `null` where the text is not base64 with padding. `atob` alone would skip white space and add missing
 * padding, so that many texts would stand for one key.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!BASE64.test(text)) return null
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  // The last character may carry bits that belong to no byte: those have to be zero (RFC 4648, section 3.5).
  return toBase64(bytes) === text ? bytes : null
}
