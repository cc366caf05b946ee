import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CORPUS, corpusBody, sharedVectors } from '../../test/corpus.ts'
import {
  buildSignatureHeader,
  ed25519Pkcs8,
  parseSigningSecret,
  publicKeyOf,
  signWebhook,
  verifyWebhook,
  type SyncSign,
  type VerifyFailureReason,
} from './index.ts'

const hmac: SyncSign = (key, prefix, body) => createHmac('sha256', key).update(prefix).update(body).digest()
const hmacText: SyncSign = (key, prefix, body) => createHmac('sha256', key).update(prefix).update(body).digest('base64')
const ed25519: SyncSign = (seed, prefix, body) => {
  const key = createPrivateKey({ key: Buffer.from(ed25519Pkcs8(seed)), format: 'der', type: 'pkcs8' })
  return sign(null, Buffer.concat([Buffer.from(prefix), body]), key)
}

const shared = sharedVectors()

interface Case {
  name: string
  id: string
  timestamp: number
  body: Uint8Array
  signing: string[]
  verifying: string[]
  signatures: string[]
}

const cases: Case[] = [
  ...CORPUS.map((entry) => ({
    name: `own: ${entry.name}`,
    id: entry.id,
    timestamp: entry.timestamp,
    body: corpusBody(entry),
    signing: [...entry.hmac.map(({ secret }) => secret), entry.ed25519.private_key],
    verifying: [...entry.hmac.map(({ secret }) => secret), entry.ed25519.public_key],
    signatures: [...entry.hmac.map(({ signature }) => signature), entry.ed25519.signature],
  })),
  ...(shared?.hmac_sha256 ?? []).map((vector) => ({
    ...vector,
    body: Buffer.from(vector.body),
    signing: vector.secrets,
    verifying: vector.secrets,
  })),
  ...(shared?.ed25519 ?? []).map((vector) => ({
    ...vector,
    body: Buffer.from(vector.body),
    signing: [vector.private_key],
    verifying: [vector.public_key],
    signatures: [vector.signature],
  })),
]

describe.each(cases)('signatures made outside of the project: $name', (vector) => {
  const { id, timestamp, body, signing, verifying, signatures } = vector
  const now = () => timestamp * 1000

  it('come out of WebCrypto, one per secret in their order', async () => {
    expect(await signWebhook({ id, timestamp, body, secrets: signing })).toBe(signatures.join(' '))
  })

  it.each([hmac, hmacText])('come out of the synchronous core with node:crypto', (hmacFunction) => {
    const secrets = signing.map(parseSigningSecret)
    const header = buildSignatureHeader({ id, timestamp, body, secrets, hmac: hmacFunction, ed25519 })
    expect(header).toBe(signatures.join(' '))
  })

  it('verify with each secret alone, which is named', async () => {
    const headers = { 'webhook-id': id, 'webhook-timestamp': `${timestamp}`, 'webhook-signature': signatures.join(' ') }
    for (const secret of verifying) {
      const result = await verifyWebhook({ headers, body, secrets: [secret], now })
      expect(result).toEqual({ ok: true, id, timestamp, secretIndex: 0 })
    }
    for (const [index, signature] of signatures.entries()) {
      const alone = { ...headers, 'webhook-signature': signature }
      const result = await verifyWebhook({ headers: alone, body, secrets: verifying, now })
      expect(result).toEqual({ ok: true, id, timestamp, secretIndex: index })
    }
  })

  it('do not verify with a changed body, id, timestamp or signature', async () => {
    const headers = { 'webhook-id': id, 'webhook-timestamp': `${timestamp}`, 'webhook-signature': signatures.join(' ') }
    const flipped = Uint8Array.from(body.length === 0 ? [0] : body)
    if (body.length > 0) flipped[body.length >> 1] = (flipped[body.length >> 1] as number) ^ 1
    const forged = signatures.map((text) => text.replace(/,./, (two) => (two === ',A' ? ',B' : ',A'))).join(' ')
    const changed = [
      { headers, body: flipped },
      { headers: { ...headers, 'webhook-id': `${id}x` }, body },
      { headers: { ...headers, 'webhook-timestamp': `${timestamp + 1}` }, body },
      { headers: { ...headers, 'webhook-signature': forged }, body },
    ]
    for (const request of changed) {
      const result = await verifyWebhook({ ...request, secrets: verifying, now })
      expect(result).toMatchObject({ ok: false, reason: 'wrong_signature' })
      expect(result).not.toHaveProperty('likelyCause')
    }
  })
})

it('gives the public key of a private one', async () => {
  for (const { ed25519: pair } of CORPUS) expect(await publicKeyOf(pair.private_key)).toBe(pair.public_key)
})

/** What the shared list says in words, by its words. */
const REASONS: Record<string, VerifyFailureReason> = {
  'timestamp with trailing text': 'malformed_timestamp',
  'timestamp with leading space': 'malformed_timestamp',
  'fractional timestamp': 'malformed_timestamp',
  'underscores in the number': 'malformed_timestamp',
  exponent: 'malformed_timestamp',
  'empty secret': 'malformed_secret',
  'secret shorter than 24 bytes': 'malformed_secret',
  'more than 32 signatures in the header': 'too_many_signatures',
  'body given as a parsed object': 'body_not_raw',
  'older than the tolerance (300 s)': 'timestamp_too_old',
  'further in the future than the tolerance': 'timestamp_in_future',
  'only an unknown signature version': 'no_supported_signature',
}

describe.skipIf(shared === null)('the shared list of what must be refused', () => {
  const vector = shared?.hmac_sha256[0]
  if (vector === undefined) return
  const secret = vector.secrets[0] as string
  const signature = vector.signatures[0] as string

  it.each(shared?.must_reject ?? [])('refuses: $why', async (refusal) => {
    const { id, timestamp, body } = vector
    // The signature is right for what is sent wherever it can be, so that nothing else refuses it.
    const stamp = refusal.timestamp ?? String(timestamp)
    const key = Buffer.from(secret.slice(6), 'base64')
    const right = `v1,${createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64')}`
    const result = await verifyWebhook({
      headers: {
        'webhook-id': id,
        'webhook-timestamp': stamp,
        'webhook-signature':
          refusal.signature ??
          Array(refusal.signature_count ?? 1)
            .fill(right)
            .join(' '),
      },
      body: refusal.why.includes('parsed object') ? (JSON.parse(body) as string) : body,
      secrets: [refusal.secret ?? secret],
      now: () => (timestamp + (refusal.age_s ?? 0)) * 1000,
    })
    expect(REASONS).toHaveProperty([refusal.why])
    expect(result).toMatchObject({ ok: false, reason: REASONS[refusal.why] })
  })

  it('accepts everything on the list of what must be accepted', async () => {
    const { id, timestamp, body } = vector
    const now = () => timestamp * 1000
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature }
    const bytes = Buffer.from(body)
    const accepted: Record<string, Parameters<typeof verifyWebhook>[0][]> = {
      'header names in any case': [
        {
          headers: { 'Webhook-Id': id, 'WEBHOOK-TIMESTAMP': String(timestamp), 'wEbHoOk-SiGnAtUrE': signature },
          body,
          secrets: secret,
        },
      ],
      'header values given as arrays of one': [
        {
          headers: { 'webhook-id': [id], 'webhook-timestamp': [String(timestamp)], 'webhook-signature': [signature] },
          body,
          secrets: secret,
        },
      ],
      'body as string, Buffer, Uint8Array or ArrayBuffer': [
        { headers, body, secrets: secret },
        { headers, body: bytes, secrets: secret },
        { headers, body: new Uint8Array(bytes), secrets: secret },
        { headers, body: new Uint8Array(bytes).buffer, secrets: secret },
      ],
      'one valid signature among unknown versions and wrong ones': [
        {
          headers: { ...headers, 'webhook-signature': `v2,AAAA v1,AAAA nonsense ${signature} v1a,AAAA` },
          body,
          secrets: secret,
        },
      ],
    }
    for (const { why } of shared?.must_accept ?? []) {
      expect(accepted).toHaveProperty([why])
      for (const request of accepted[why] ?? [])
        expect(await verifyWebhook({ ...request, now })).toMatchObject({ ok: true, id })
    }
  })
})
