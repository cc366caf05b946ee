import { importEd25519PublicKey } from './ed25519.ts'
import { equalBytes } from './equal-bytes.ts'
import { signHmac } from './hmac.ts'
import type { parseVerifyingSecret } from './secrets.ts'
import type { SignatureList } from './signature-list.ts'

export type VerifyingSecret = ReturnType<typeof parseVerifyingSecret>

/**
 * Which secret made one of these signatures over this input: its index, or -1.
 * @throws DOMException `NotSupportedError` where none matched and a public key could not be tried (no ed25519 here)
 */
export async function findSigner(
  secrets: readonly VerifyingSecret[],
  signatures: SignatureList,
  input: Uint8Array<ArrayBuffer>,
): Promise<number> {
  let failure: Error | null = null
  for (const [index, secret] of secrets.entries()) {
    const matches = secret.kind === 'hmac' ? matchesHmac : matchesEd25519
    const candidates = secret.kind === 'hmac' ? signatures.v1 : signatures.v1a
    try {
      if (candidates.length > 0 && (await matches(secret.key, candidates, input))) return index
    } catch (error) {
      // A runtime without ed25519 can still check the HMAC secrets.
      failure = error instanceof Error ? error : new Error('WebCrypto failed', { cause: error })
    }
  }
  if (failure !== null) throw failure
  return -1
}

async function matchesHmac(
  key: Uint8Array<ArrayBuffer>,
  candidates: readonly Uint8Array[],
  input: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const expected = await signHmac(key, input)
  return candidates.some((candidate) => equalBytes(candidate, expected))
}

async function matchesEd25519(
  key: Uint8Array<ArrayBuffer>,
  candidates: readonly Uint8Array<ArrayBuffer>[],
  input: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const imported = await importEd25519PublicKey(key)
  for (const candidate of candidates) {
    if (await crypto.subtle.verify('Ed25519', imported, candidate, input)) return true
  }
  return false
}
