import { toBase64 } from './base64.ts'
import { bodyBytes, type RawBody } from './body-bytes.ts'
import { signEd25519 } from './ed25519.ts'
import { headerNames } from './header-names.ts'
import { signHmac } from './hmac.ts'
import { parseSigningSecret, type SigningSecret } from './secrets.ts'
import { signedPrefix, signingInput } from './signing-input.ts'

export interface SignWebhookInput {
  /** The `webhook-id`: 1 to 256 printable ASCII characters, no dot. */
  id: string
  /** Unix seconds of the attempt. */
  timestamp: number
  /** The exact bytes that are sent. */
  body: RawBody
  /** The active secrets, newest first: `whsec_…` or `whsk_…`. */
  secrets: readonly string[]
}

/**
 * The value of `webhook-signature`: `v1` (HMAC-SHA256) or `v1a` (ed25519) per secret, in their order, separated by
 * spaces. Uses WebCrypto; a hot path on Node takes `buildSignatureHeader`. Source: Standard Webhooks, "Signature scheme".
 * @throws SecretError for a secret that cannot sign
 * @throws TypeError without a secret, for a body that is not bytes or text, and as `signedPrefix`
 */
export async function signWebhook({ id, timestamp, body, secrets }: SignWebhookInput): Promise<string> {
  const prefix = signedPrefix(id, timestamp)
  const bytes = bodyBytes(body)
  if (bytes === null) throw new TypeError('the body to sign is text or bytes; sign what is sent, not an object')
  if (secrets.length === 0) throw new TypeError('signing needs at least one secret')
  const input = signingInput(prefix, bytes)
  const signatures = await Promise.all(secrets.map(parseSigningSecret).map((secret) => signWith(secret, input)))
  return signatures.join(' ')
}

async function signWith(secret: SigningSecret, input: Uint8Array<ArrayBuffer>): Promise<string> {
  return secret.kind === 'hmac'
    ? `v1,${toBase64(await signHmac(secret.key, input))}`
    : `v1a,${toBase64(await signEd25519(secret.seed, input))}`
}

/**
 * The three headers of a signed request.
 * @param headerPrefix `acme` makes `acme-id` and so on. @default "webhook"
 * @throws as `signWebhook` and `headerNames`
 */
export async function signedHeaders(input: SignWebhookInput, headerPrefix?: string): Promise<Record<string, string>> {
  const names = headerNames(headerPrefix)
  return {
    [names.id]: input.id,
    [names.timestamp]: String(input.timestamp),
    [names.signature]: await signWebhook(input),
  }
}
