import { describe, expect, it } from 'vitest'
import { CORPUS } from '../../test/corpus.ts'
import {
  generateKeyPair,
  generateSecret,
  parseSecret,
  parseSigningSecret,
  parseVerifyingSecret,
  publicKeyOf,
  SecretError,
  signWebhook,
  verifyWebhook,
} from './index.ts'

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')

function refusal(parse: () => unknown): SecretError {
  try {
    parse()
  } catch (error) {
    expect(error).toBeInstanceOf(SecretError)
    return error as SecretError
  }
  throw new Error('nothing was thrown')
}

describe('parseSecret', () => {
  it('reads the three kinds', () => {
    expect(parseSecret(`whsec_${base64(24)}`)).toEqual({ kind: 'hmac', key: new Uint8Array(24).fill(7) })
    expect(parseSecret(`whsec_${base64(64)}`)).toEqual({ kind: 'hmac', key: new Uint8Array(64).fill(7) })
    expect(parseSecret(`whsk_${base64(32)}`)).toEqual({ kind: 'ed25519', seed: new Uint8Array(32).fill(7) })
    expect(parseSecret(`whpk_${base64(32)}`)).toEqual({ kind: 'ed25519_public', key: new Uint8Array(32).fill(7) })
  })

  it.each([
    ['', 'empty'],
    ['whsec_', 'empty'],
    ['whsk_', 'empty'],
    [undefined, 'not_text'],
    [base64(32), 'unknown_prefix'],
    [`WHSEC_${base64(32)}`, 'unknown_prefix'],
    [`whsec_${base64(32)}\n`, 'white_space'],
    [` whsec_${base64(32)}`, 'white_space'],
    [`whsec_${base64(32).replace('=', '')}`, 'not_base64'],
    [`whsec_${base64(30).replace('B', '-')}`, 'not_base64'],
    // The last character carries bits that belong to no byte.
    [`whsec_${base64(31).replace('Bw==', 'Bx==')}`, 'not_base64'],
    [`whsec_${base64(23)}`, 'too_short'],
    ['whsec_AQ==', 'too_short'],
    [`whsec_${base64(65)}`, 'too_long'],
    [`whsk_${base64(31)}`, 'wrong_length'],
    [`whsk_${base64(64)}`, 'wrong_length'],
    [`whpk_${base64(33)}`, 'wrong_length'],
  ])('refuses %j: %s', (secret, code) => {
    const error = refusal(() => parseSecret(secret as string))
    expect(error.code).toBe(code)
    expect(error.fix).not.toBe('')
    if (secret !== undefined && secret.length > 10) expect(error.message).not.toContain(secret.slice(6, 20))
  })

  it('does not let a public key sign, nor a private key verify', async () => {
    const { private_key: privateKey, public_key: publicKey } = (CORPUS[0] as (typeof CORPUS)[0]).ed25519
    expect(refusal(() => parseSigningSecret(publicKey)).code).toBe('wrong_kind')
    expect(refusal(() => parseVerifyingSecret(privateKey)).code).toBe('wrong_kind')
    await expect(publicKeyOf(generateSecret())).rejects.toMatchObject({ code: 'wrong_kind' })
  })
})

describe('new secrets', () => {
  it('have the length that was asked for and are never the same', () => {
    for (const bytes of [24, 32, 64]) {
      expect(Buffer.from(generateSecret(bytes).slice('whsec_'.length), 'base64')).toHaveLength(bytes)
    }
    expect(parseSecret(generateSecret())).toMatchObject({ kind: 'hmac', key: { length: 32 } })
    expect(new Set(Array.from({ length: 50 }, () => generateSecret())).size).toBe(50)
    for (const bytes of [23, 65, 24.5, Number.NaN]) expect(() => generateSecret(bytes)).toThrow(RangeError)
  })

  it('come as pairs that fit', async () => {
    const pair = await generateKeyPair()
    expect(parseSecret(pair.publicKey).kind).toBe('ed25519_public')
    const signature = await signWebhook({ id: 'evt_00000001', timestamp: 1000, body: 'x', secrets: [pair.privateKey] })
    const headers = { 'webhook-id': 'evt_00000001', 'webhook-timestamp': '1000', 'webhook-signature': signature }
    const now = () => 1_000_000
    expect(await verifyWebhook({ headers, body: 'x', secrets: pair.publicKey, now })).toMatchObject({ ok: true })
    const stranger = await generateKeyPair()
    const result = await verifyWebhook({ headers, body: 'x', secrets: stranger.publicKey, now })
    expect(result).toMatchObject({ ok: false, reason: 'wrong_signature' })
  })
})
