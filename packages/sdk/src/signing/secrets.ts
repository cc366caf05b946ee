import { fromBase64, toBase64 } from './base64.ts'

/** An HMAC secret holds 24 to 64 random bytes (Standard Webhooks, "Signature scheme"). */
export const HMAC_SECRET_MIN_BYTES = 24
export const HMAC_SECRET_MAX_BYTES = 64
/** 256 bits: as long as the output of HMAC-SHA256. */
export const HMAC_SECRET_DEFAULT_BYTES = 32
/** An ed25519 seed and an ed25519 public key have 32 bytes (RFC 8032, section 5.1.5). */
export const ED25519_KEY_BYTES = 32

/** What a secret holds. `hmac` signs and verifies, `ed25519` only signs, `ed25519_public` only verifies. */
export type ParsedSecret =
  | { kind: 'hmac'; key: Uint8Array<ArrayBuffer> }
  | { kind: 'ed25519'; seed: Uint8Array<ArrayBuffer> }
  | { kind: 'ed25519_public'; key: Uint8Array<ArrayBuffer> }

/** A secret that can sign. */
export type SigningSecret = Exclude<ParsedSecret, { kind: 'ed25519_public' }>

export type SecretErrorCode =
  | 'not_text'
  | 'white_space'
  | 'unknown_prefix'
  | 'not_base64'
  | 'empty'
  | 'too_short'
  | 'too_long'
  | 'wrong_length'
  | 'wrong_kind'

/** A secret that cannot be used. The message never holds the secret or a part of it. */
export class SecretError extends Error {
  readonly code: SecretErrorCode
  /** What to do, in one sentence. */
  readonly fix: string

  constructor(code: SecretErrorCode, message: string, fix: string) {
    super(message)
    this.name = 'SecretError'
    this.code = code
    this.fix = fix
  }
}

const COPY_AGAIN = 'Copy the secret again, whole, from where it was shown when the endpoint was made.'
const PREFIX = /^(whsec|whsk|whpk)_/

/**
 * Reads a secret: `whsec_` (HMAC, base64 of 24 to 64 bytes), `whsk_` (ed25519 private key, base64 of its 32-byte seed)
 * or `whpk_` (ed25519 public key, base64 of 32 bytes). Source: Standard Webhooks, "Signature scheme".
 * @throws SecretError
 */
export function parseSecret(secret: string): ParsedSecret {
  if (typeof secret !== 'string') {
    throw new SecretError('not_text', 'The secret is not a string.', 'Check that the setting that holds it is filled.')
  }
  if (secret === '')
    throw new SecretError('empty', 'The secret is empty.', 'Check that the setting that holds it is filled.')
  if (/\s/.test(secret)) {
    throw new SecretError(
      'white_space',
      'The secret contains white space or a line break.',
      'Remove it; a secret is one word.',
    )
  }
  const prefix = PREFIX.exec(secret)?.[1]
  if (prefix === undefined) {
    const fix =
      'Give the whole secret with its prefix: whsec_ (HMAC), whpk_ (ed25519 public) or whsk_ (ed25519 private).'
    throw new SecretError('unknown_prefix', 'The secret starts with none of whsec_, whsk_ and whpk_.', fix)
  }
  const encoded = secret.slice(prefix.length + 1)
  if (encoded === '') throw new SecretError('empty', `There is nothing after ${prefix}_ in the secret.`, COPY_AGAIN)
  const bytes = fromBase64(encoded)
  if (bytes === null) {
    throw new SecretError('not_base64', `What follows ${prefix}_ is not base64 with padding.`, COPY_AGAIN)
  }
  if (prefix === 'whsec') return { kind: 'hmac', key: checkHmacKey(bytes) }
  if (bytes.length !== ED25519_KEY_BYTES) {
    const message = `An ed25519 key has ${ED25519_KEY_BYTES} bytes; this ${prefix}_ secret has ${bytes.length}.`
    throw new SecretError('wrong_length', message, COPY_AGAIN)
  }
  return prefix === 'whsk' ? { kind: 'ed25519', seed: bytes } : { kind: 'ed25519_public', key: bytes }
}

/**
 * Reads a secret that is to sign.
 * @throws SecretError `wrong_kind` for a public key, else as `parseSecret`
 */
export function parseSigningSecret(secret: string): SigningSecret {
  const parsed = parseSecret(secret)
  if (parsed.kind !== 'ed25519_public') return parsed
  throw new SecretError(
    'wrong_kind',
    'A whpk_ secret is a public key and cannot sign.',
    'Sign with the whsk_ secret it belongs to.',
  )
}

/**
 * Reads a secret that is to verify.
 * @throws SecretError `wrong_kind` for a private key, which has no place at a receiver, else as `parseSecret`
 */
export function parseVerifyingSecret(secret: string): Exclude<ParsedSecret, { kind: 'ed25519' }> {
  const parsed = parseSecret(secret)
  if (parsed.kind !== 'ed25519') return parsed
  const fix = 'Verify with the whpk_ secret that belongs to it, and keep the private key with the sender.'
  throw new SecretError('wrong_kind', 'A whsk_ secret is a private key; a receiver verifies with the public one.', fix)
}

function checkHmacKey(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (key.length < HMAC_SECRET_MIN_BYTES) {
    const message = `An HMAC secret has at least ${HMAC_SECRET_MIN_BYTES} bytes; this one has ${key.length}.`
    throw new SecretError('too_short', message, 'Make one with generateSecret().')
  }
  if (key.length > HMAC_SECRET_MAX_BYTES) {
    const message = `An HMAC secret has at most ${HMAC_SECRET_MAX_BYTES} bytes; this one has ${key.length}.`
    throw new SecretError('too_long', message, 'Make one with generateSecret().')
  }
  return key
}

/**
 * A new HMAC secret, `whsec_…`.
 * @param bytes of randomness, 24 to 64
 * @throws RangeError outside of that
 */
export function generateSecret(bytes: number = HMAC_SECRET_DEFAULT_BYTES): string {
  if (!Number.isInteger(bytes) || bytes < HMAC_SECRET_MIN_BYTES || bytes > HMAC_SECRET_MAX_BYTES) {
    throw new RangeError(`a secret has ${HMAC_SECRET_MIN_BYTES} to ${HMAC_SECRET_MAX_BYTES} bytes, not ${bytes}`)
  }
  return `whsec_${toBase64(crypto.getRandomValues(new Uint8Array(bytes)))}`
}
