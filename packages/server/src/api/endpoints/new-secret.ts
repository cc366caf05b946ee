import type { SigningScheme } from '@runbell/sdk/contract'
import { generateKeyPair, generateSecret } from '@runbell/sdk/signing'
import { newId } from '../../core/new-id.ts'
import type { SecretOwner } from '../../secrets/vault.ts'
import type { EndpointChange, SecretRow } from '../../store/rows.ts'
import type { ApiContext } from '../context.ts'

/** A secret that was just made, with what its maker is told once. */
export interface NewSecret {
  row: SecretRow
  /** `{secret}` for HMAC; `{public_key}` for ed25519, whose private key nobody is told. */
  shown: { secret: string } | { public_key: string }
}

/** Makes secrets for an endpoint. */
export interface SecretMaker {
  context: Pick<ApiContext, 'random' | 'vault'>
  owner: SecretOwner
  now: number
}

/** Secrets of one kind that sign at once, at most (contract, "Signing"). */
const MAX_SECRETS = 5

/** The kinds of secret a signing scheme needs. */
export function kindsOf(signing: SigningScheme): SecretRow['kind'][] {
  return signing === 'both' ? ['hmac', 'ed25519'] : [signing]
}

export async function newSecret(kind: SecretRow['kind'], { context, owner, now }: SecretMaker): Promise<NewSecret> {
  const id = newId('secret', owner.mode, now, context.random)
  const sealed = async (clear: string, publicKey: string | null): Promise<SecretRow> => {
    const value = await context.vault.sealSecret(owner, { id, kind }, clear)
    return { id, kind, value, publicKey, createdAt: now, expiresAt: null }
  }
  if (kind === 'hmac') {
    const secret = generateSecret()
    return { row: await sealed(secret, null), shown: { secret } }
  }
  const { privateKey, publicKey } = await generateKeyPair()
  return { row: await sealed(privateKey, publicKey), shown: { public_key: publicKey } }
}

export function newSecrets(kinds: SecretRow['kind'][], maker: SecretMaker): Promise<NewSecret[]> {
  return Promise.all(kinds.map((kind) => newSecret(kind, maker)))
}

/** What an answer shows of new secrets, this once. */
export function shownOnce(secrets: readonly NewSecret[]): { secret?: string; public_key?: string } {
  return Object.assign({}, ...secrets.map(({ shown }) => shown)) as { secret?: string; public_key?: string }
}

/** The change that adds it; the others of its kind sign along until `retireAt`. */
export function addSecret({ row }: NewSecret, retireAt: number): EndpointChange {
  return { kind: 'add_secret', secret: row, retireAt, max: MAX_SECRETS }
}
