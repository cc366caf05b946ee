/*
 * How sealed values are written: the prefix, then base64 of nonce, tag and what is sealed. What they hold only the vault can tell, but
 * whether a text is one, and how much it holds, is no secret.
 */

export const SEALED_PREFIX = 'sealed:1:'
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

export function isSealed(text: string): boolean {
  return text.startsWith(SEALED_PREFIX)
}

/** Bytes of what a value holds; of one that is not sealed, its own. */
export function clearLength(text: string): number {
  if (!isSealed(text)) return text.length
  const encoded = text.length - SEALED_PREFIX.length
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return Math.max(0, (encoded / 4) * 3 - padding - NONCE_BYTES - TAG_BYTES)
}
