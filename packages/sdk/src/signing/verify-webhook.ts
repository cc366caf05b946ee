import { bodyBytes, type RawBody } from './body-bytes.ts'
import { explainMismatch } from './explain-mismatch.ts'
import { headerNames } from './header-names.ts'
import { readSignatureHeaders, type RequestHeaders } from './request-headers.ts'
import { parseVerifyingSecret, SecretError } from './secrets.ts'
import { readSignatures, type SignatureList } from './signature-list.ts'
import { findSigner, type VerifyingSecret } from './signature-match.ts'
import { signingInput, WEBHOOK_ID_PATTERN, WEBHOOK_TIMESTAMP_PATTERN } from './signing-input.ts'
import { refuse, type Verification, type VerifyFailure } from './verification.ts'

/** Five minutes, as the reference libraries of Standard Webhooks. */
export const DEFAULT_TOLERANCE_SECONDS = 300

export interface VerifyWebhookInput {
  headers: RequestHeaders
  /** The body as it came: text or bytes, never a parsed object. */
  body: RawBody
  /** `whsec_…` or `whpk_…`; several while a secret is being rotated. */
  secrets: string | readonly string[]
  /** How far the timestamp may be from `now`, in seconds, either way. 0 or more. @default 300 */
  toleranceSeconds?: number | undefined
  /** `acme` reads `acme-id`, `acme-timestamp` and `acme-signature`. @default "webhook" */
  headerPrefix?: string | undefined
  /** The time in milliseconds since 1970. @default Date.now */
  now?: (() => number) | undefined
}

/**
 * Verifies a request by its headers and raw body. What cannot be verified is a value with a reason, a message and a fix;
 * it is stricter than the reference libraries (whole timestamps, secrets of 24 bytes and more, at most 32 signatures).
 * Source: Standard Webhooks, "Verifying webhook authenticity".
 * @throws TypeError for a `headerPrefix` or `toleranceSeconds` that cannot be
 */
export async function verifyWebhook(input: VerifyWebhookInput): Promise<Verification> {
  const names = headerNames(input.headerPrefix)
  const tolerance = input.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS
  if (!(tolerance >= 0)) throw new TypeError('toleranceSeconds is 0 or more')
  const secrets = readSecrets(input.secrets)
  if ('ok' in secrets) return secrets
  const body = bodyBytes(input.body)
  if (body === null) return refuseParsedBody(input.body)
  const headers = readSignatureHeaders(input.headers, names)
  if ('ok' in headers) return headers
  if (!WEBHOOK_ID_PATTERN.test(headers.id)) {
    const message = `The header ${names.id} is not an id: 1 to 256 printable ASCII characters without a dot.`
    return refuse('malformed_id', message, 'Pass the header as it came.')
  }
  const late = checkTimestamp(headers.timestamp, tolerance, (input.now ?? Date.now)())
  if (late !== null) return late
  const signatures = readSignatures(headers.signature)
  if ('ok' in signatures) return signatures
  const mixed = checkSchemes(secrets, signatures)
  if (mixed !== null) return mixed

  const prefix = `${headers.id}.${headers.timestamp}.`
  const signerOf = (bytes: Uint8Array) => findSigner(secrets, signatures, signingInput(prefix, bytes))
  try {
    const secretIndex = await signerOf(body)
    if (secretIndex >= 0) return { ok: true, id: headers.id, timestamp: Number(headers.timestamp), secretIndex }
    return await explainMismatch(body, async (original) => (await signerOf(original)) >= 0)
  } catch (error) {
    const message = `This runtime cannot check the signature: ${error instanceof Error ? error.message : 'WebCrypto failed'}.`
    return refuse(
      'unsupported_runtime',
      message,
      'ed25519 (whpk_) needs a runtime whose WebCrypto has it; HMAC (whsec_) works everywhere.',
    )
  }
}

function readSecrets(given: string | readonly string[]): readonly VerifyingSecret[] | VerifyFailure {
  const secrets = typeof given === 'string' ? [given] : (given ?? [])
  if (secrets.length === 0) {
    return refuse(
      'no_secret',
      'There is no secret to verify with.',
      'Pass the secret that was shown when the endpoint was made.',
    )
  }
  const parsed: VerifyingSecret[] = []
  for (const [index, secret] of secrets.entries()) {
    try {
      parsed.push(parseVerifyingSecret(secret))
    } catch (error) {
      if (!(error instanceof SecretError)) throw error
      const which = secrets.length > 1 ? `Secret ${index + 1} of ${secrets.length}: ` : ''
      return refuse('malformed_secret', which + error.message, error.fix)
    }
  }
  return parsed
}

function refuseParsedBody(body: unknown): VerifyFailure {
  if (body === undefined || body === null) {
    const fix =
      'Pass the raw body. If something read it before, verify first; in Express mount this before express.json().'
    return refuse('body_not_raw', 'There is no body.', fix)
  }
  const message = 'The body is an object: something has parsed it, and its bytes cannot be made again from that.'
  const fix = 'Pass the raw body: await request.text() in fetch handlers, express.raw({ type: "*/*" }) in Express.'
  return refuse('body_not_raw', message, fix)
}

function checkTimestamp(header: string, tolerance: number, now: number): VerifyFailure | null {
  if (!WEBHOOK_TIMESTAMP_PATTERN.test(header)) {
    const message = 'The timestamp is not whole Unix seconds: 1 to 12 digits and nothing else.'
    return refuse('malformed_timestamp', message, 'Pass the header as it came.')
  }
  const age = Math.floor(now / 1000) - Number(header)
  if (age > tolerance) {
    const message = `The timestamp is ${age} seconds old; at most ${tolerance} are allowed.`
    const fix =
      'Check the clock of this machine. A request that was kept and sent again later needs a new signature: replay it.'
    return refuse('timestamp_too_old', message, fix)
  }
  if (-age > tolerance) {
    const message = `The timestamp is ${-age} seconds in the future; at most ${tolerance} are allowed.`
    return refuse(
      'timestamp_in_future',
      message,
      'Check the clocks of this machine and of the sender; the unit is seconds.',
    )
  }
  return null
}

/** A public key cannot check an HMAC, nor the other way round: then no secret is wrong, it is of the wrong kind. */
function checkSchemes(secrets: readonly VerifyingSecret[], signatures: SignatureList): VerifyFailure | null {
  const canCheck = secrets.some((secret) => (secret.kind === 'hmac' ? signatures.v1 : signatures.v1a).length > 0)
  if (canCheck) return null
  return signatures.v1.length > 0
    ? refuse(
        'no_supported_signature',
        'It is signed with HMAC (v1) only, and there is no whsec_ secret.',
        "Add the endpoint's whsec_ secret.",
      )
    : refuse(
        'no_supported_signature',
        'It is signed with ed25519 (v1a) only, and there is no whpk_ key.',
        "Add the sender's whpk_ key.",
      )
}
