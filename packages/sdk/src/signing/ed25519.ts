import { toBase64 } from './base64.ts'
import { ED25519_KEY_BYTES, parseSigningSecret, SecretError } from './secrets.ts'

// WebCrypto imports a private key as PKCS #8 only; for ed25519 that is these 16 bytes, then the seed (RFC 8410, section 7).
const PKCS8_HEAD = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

/** The PKCS #8 form (DER) of an ed25519 seed, as WebCrypto and `node:crypto` import it. */
export function ed25519Pkcs8(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(PKCS8_HEAD.length + ED25519_KEY_BYTES)
  key.set(PKCS8_HEAD)
  key.set(seed, PKCS8_HEAD.length)
  return key
}

/** @throws DOMException `NotSupportedError` on a runtime without ed25519 */
export async function signEd25519(seed: Uint8Array, input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('pkcs8', ed25519Pkcs8(seed), 'Ed25519', false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, input))
}

/** @throws DOMException `NotSupportedError` on a runtime without ed25519 */
export function importEd25519PublicKey(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
}

/**
 * The public key, `whpk_…`, of an ed25519 private key, `whsk_…`.
 * @throws SecretError for anything but a `whsk_` secret
 */
export async function publicKeyOf(privateKey: string): Promise<string> {
  const secret = parseSigningSecret(privateKey)
  if (secret.kind !== 'ed25519') {
    throw new SecretError(
      'wrong_kind',
      'A whsec_ secret has no public key.',
      'Use a whsk_ secret, from generateKeyPair().',
    )
  }
  // An ed25519 private key in JWK form holds the public key as `x` (RFC 8037, section 2).
  const key = await crypto.subtle.importKey('pkcs8', ed25519Pkcs8(secret.seed), 'Ed25519', true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', key)
  return `whpk_${(x as string).replaceAll('-', '+').replaceAll('_', '/')}=`
}

export interface KeyPair {
  /** `whsk_…`; stays with the sender. */
  privateKey: string
  /** `whpk_…`; goes to receivers. */
  publicKey: string
}

/** A new ed25519 key pair. */
export async function generateKeyPair(): Promise<KeyPair> {
  const privateKey = `whsk_${toBase64(crypto.getRandomValues(new Uint8Array(ED25519_KEY_BYTES)))}`
  return { privateKey, publicKey: await publicKeyOf(privateKey) }
}
