import type { Mode, SigningScheme } from '@runbell/sdk/contract'
import { generateKeyPair, generateSecret } from '@runbell/sdk/signing'
import type { RandomSource } from '../../core/clock.ts'
import { newId } from '../../core/new-id.ts'
import type { EndpointChange, SecretRow } from '../../store/rows.ts'

/** A secret that was just made, with what its maker is told once. */
export interface NewSecret {
  row: SecretRow
  /** `{secret}` for HMAC; `{public_key}` for ed25519, whose private key nobody is told. */
  shown: { secret: string } | { public_key: string }
}

/** Secrets of one kind that sign at once, at most (contract, "Signing"). */
const MAX_SECRETS = 5

/** The kinds of secret a signing scheme needs. */
export function kindsOf(signing: SigningScheme): SecretRow['kind'][] {
  return signing === 'both' ? ['hmac', 'ed25519'] : [signing]
}

export async function newSecret(
  kind: SecretRow['kind'],
  mode: Mode,
  now: number,
  random: RandomSource,
): Promise<NewSecret> {
  const facts = { id: newId('secret', mode, now, random), kind, createdAt: now, expiresAt: null }
  if (kind === 'hmac') {
    const secret = generateSecret()
    return { row: { ...facts, value: secret }, shown: { secret } }
  }
  const { privateKey, publicKey } = await generateKeyPair()
  return { row: { ...facts, value: privateKey }, shown: { public_key: publicKey } }
}

export function newSecrets(
  kinds: SecretRow['kind'][],
  mode: Mode,
  now: number,
  random: RandomSource,
): Promise<NewSecret[]> {
  return Promise.all(kinds.map((kind) => newSecret(kind, mode, now, random)))
}

/** What an answer shows of new secrets, this once. */
export function shownOnce(secrets: readonly NewSecret[]): { secret?: string; public_key?: string } {
  return Object.assign({}, ...secrets.map(({ shown }) => shown)) as { secret?: string; public_key?: string }
}

/** The change that adds it; the others of its kind sign along until `retireAt`. */
export function addSecret({ row }: NewSecret, retireAt: number): EndpointChange {
  return { kind: 'add_secret', secret: row, retireAt, max: MAX_SECRETS }
}
