import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { RandomSource } from '../core/clock.ts'
import { isSealed, NONCE_BYTES, SEALED_PREFIX, TAG_BYTES } from '../core/sealed-text.ts'

/*
 * AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits for each sealing. What is sealed and for whom is authenticated along:
 * a sealed value that is put in another's place does not open.
 */

const CIPHER = 'aes-256-gcm'

/** Nonce, tag, ciphertext. @param context what it is and whose, in the same words when it is opened */
export function seal(key: KeyObject, context: readonly string[], clear: Uint8Array, random: RandomSource): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(contextBytes(context))
  const ciphertext = Buffer.concat([cipher.update(clear), cipher.final()])
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]))
}

/** @throws Error where the key, the context or a single bit is another */
export function open(key: KeyObject, context: readonly string[], sealed: Uint8Array): Uint8Array {
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(contextBytes(context))
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]))
}

/** JSON, so that no two lists of words make the same bytes. */
function contextBytes(context: readonly string[]): Uint8Array {
  return Buffer.from(JSON.stringify(context))
}

/** A sealed text as it is stored. */
export function sealedText(sealed: Uint8Array): string {
  return SEALED_PREFIX + Buffer.from(sealed).toString('base64')
}

/** @throws Error where it is not what `sealedText` makes */
export function sealedBytes(text: string): Uint8Array {
  if (!isSealed(text)) throw new Error('it is not sealed')
  return Buffer.from(text.slice(SEALED_PREFIX.length), 'base64')
}
