import { fromBase64 } from './base64.ts'
import { refuse, type VerifyFailure } from './verification.ts'

/** More than any rotation needs (5 secrets, two schemes), few enough to check them all. */
export const MAX_SIGNATURES = 32

const SIGNATURE = /^(v[0-9]{1,3}[a-z]?),(.+)$/

/** The signatures of a header by the scheme that made them. */
export interface SignatureList {
  v1: Uint8Array<ArrayBuffer>[]
  v1a: Uint8Array<ArrayBuffer>[]
}

/**
 * Reads `webhook-signature`: `version,base64` separated by spaces. Versions that are not known are passed over, so that
 * a sender can add one; so is one that cannot be read, as long as another can.
 */
export function readSignatures(header: string): SignatureList | VerifyFailure {
  const texts = header.split(' ', MAX_SIGNATURES + 1)
  if (texts.length > MAX_SIGNATURES) {
    const message = `There are more than ${MAX_SIGNATURES} signatures in the header.`
    return refuse('too_many_signatures', message, 'Remove retired secrets at the sender.')
  }
  const list: SignatureList = { v1: [], v1a: [] }
  const unknown: string[] = []
  for (const text of texts) {
    const [, version, encoded] = SIGNATURE.exec(text) ?? []
    if (version === undefined || encoded === undefined) continue
    if (version !== 'v1' && version !== 'v1a') {
      unknown.push(version)
      continue
    }
    const signature = fromBase64(encoded)
    if (signature !== null) list[version].push(signature)
  }
  if (list.v1.length + list.v1a.length > 0) return list
  if (unknown.length > 0) {
    const message = `There are only signatures of versions that are not known here: ${unknown.join(', ')}.`
    return refuse(
      'no_supported_signature',
      message,
      'Let the sender sign with v1 (HMAC-SHA256) or v1a (ed25519), or update this package.',
    )
  }
  const message = 'The signature header holds nothing of the form "v1,<base64>".'
  return refuse('malformed_signature', message, 'Pass the header as it came; it must not be decoded, split or quoted.')
}
