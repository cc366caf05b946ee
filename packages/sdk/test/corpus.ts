import { existsSync, readFileSync } from 'node:fs'

/** Our own signatures, made by Python and OpenSSL: see make-signature-corpus.py. */
export interface CorpusCase {
  name: string
  id: string
  timestamp: number
  body_base64: string | null
  hmac: { secret: string; signature: string }[]
  ed25519: { private_key: string; public_key: string; signature: string }
}

export const CORPUS = JSON.parse(
  readFileSync(new URL('signature-corpus.json', import.meta.url), 'utf8'),
) as CorpusCase[]

export function corpusBody(entry: CorpusCase): Uint8Array {
  // `body_rule` of the long case.
  if (entry.body_base64 === null) return Buffer.from(`{"x":"${'y'.repeat(70_000)}"}`)
  return Buffer.from(entry.body_base64, 'base64')
}

export interface SharedVectors {
  hmac_sha256: { name: string; id: string; timestamp: number; body: string; secrets: string[]; signatures: string[] }[]
  ed25519: {
    name: string
    id: string
    timestamp: number
    body: string
    private_key: string
    public_key: string
    signature: string
  }[]
  must_reject: {
    why: string
    timestamp?: string
    secret?: string
    signature_count?: number
    age_s?: number
    signature?: string
  }[]
  must_accept: { why: string }[]
}

/** Vectors kept outside of the repository, beside it; `null` where they are not there. */
export function sharedVectors(): SharedVectors | null {
  const file = new URL('../../../../shared/contract/signature-vectors.json', import.meta.url)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SharedVectors
  console.warn(`skipped: the shared signature vectors are not at ${file.pathname}; our own corpus still runs`)
  return null
}
