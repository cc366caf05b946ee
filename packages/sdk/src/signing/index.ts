export type { RawBody } from './body-bytes.ts'
export { ed25519Pkcs8, generateKeyPair, publicKeyOf, type KeyPair } from './ed25519.ts'
export { headerNames, type HeaderNames } from './header-names.ts'
export type { RequestHeaders } from './request-headers.ts'
export {
  generateSecret,
  HMAC_SECRET_DEFAULT_BYTES,
  HMAC_SECRET_MAX_BYTES,
  HMAC_SECRET_MIN_BYTES,
  parseSecret,
  parseSigningSecret,
  parseVerifyingSecret,
  SecretError,
  type ParsedSecret,
  type SecretErrorCode,
  type SigningSecret,
} from './secrets.ts'
export { signWebhook, signedHeaders, type SignWebhookInput } from './sign-webhook.ts'
export { buildSignatureHeader, type SignatureHeaderInput, type SyncSign } from './signature-header.ts'
export { MAX_SIGNATURES } from './signature-list.ts'
export { signedPrefix } from './signing-input.ts'
export {
  BODY_CHANGES,
  VERIFY_FAILURES,
  type BodyChange,
  type Verification,
  type Verified,
  type VerifyFailure,
  type VerifyFailureReason,
} from './verification.ts'
export { DEFAULT_TOLERANCE_SECONDS, verifyWebhook, type VerifyWebhookInput } from './verify-webhook.ts'
