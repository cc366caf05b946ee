import { createContext, runInContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { CORPUS, corpusBody } from '../../test/corpus.ts'
import { NOW, OTHER_SECRET, SECRET, signedRequest } from '../../test/signed-request.ts'
import { signedHeaders, signWebhook, verifyWebhook, type VerifyWebhookInput } from './index.ts'

const ID = 'evt_01KAXW2M7Q8R5T9V3B6N0P1C2D'
const now = () => NOW

function verify(changes: Partial<Omit<VerifyWebhookInput, 'headers'>> & { headers?: Record<string, unknown> } = {}) {
  const { headers, body } = signedRequest(ID, '{"a":1}')
  const all = { ...headers, ...changes.headers } as Record<string, string>
  return verifyWebhook({ body, secrets: SECRET, now, ...changes, headers: all })
}

describe('headers', () => {
  const { headers, body } = signedRequest(ID, '{"a":1}')

  it.each([
    ['a Headers object', new Headers(headers)],
    ['pairs', Object.entries(headers)],
    ['a Map', new Map(Object.entries(headers))],
    ['a record with others beside', { host: 'x', cookie: undefined, 'set-cookie': ['a', 'b'], ...headers }],
  ])('are read from %s', async (_form, given) => {
    expect(await verifyWebhook({ headers: given, body, secrets: SECRET, now })).toMatchObject({ ok: true, id: ID })
  })

  it('are named where they are missing', async () => {
    const result = await verify({ headers: { 'webhook-signature': undefined, 'webhook-id': '' } })
    expect(result).toMatchObject({ reason: 'missing_header', message: 'Missing: webhook-id, webhook-signature.' })
    expect(await verify({ headers: { 'webhook-id': [] } })).toMatchObject({ reason: 'missing_header' })
    const nothing = await verifyWebhook({ headers: undefined as never, body, secrets: SECRET, now })
    expect(nothing).toMatchObject({ reason: 'missing_header', fix: expect.stringContaining('headerPrefix') })
  })

  it('are refused where they are repeated, even in another case', async () => {
    const repeated = { 'Webhook-Timestamp': headers['webhook-timestamp'] }
    expect(await verify({ headers: repeated })).toMatchObject({ reason: 'repeated_header' })
    expect(await verify({ headers: { 'webhook-id': [ID, ID] } })).toMatchObject({ reason: 'repeated_header' })
  })

  it("can have the sender's own prefix", async () => {
    const own = await signedHeaders({ id: ID, timestamp: NOW / 1000, body, secrets: [SECRET] }, 'Acme')
    expect(Object.keys(own)).toEqual(['acme-id', 'acme-timestamp', 'acme-signature'])
    const input = { headers: own, body, secrets: SECRET, now }
    expect(await verifyWebhook({ ...input, headerPrefix: 'acme' })).toMatchObject({ ok: true })
    expect(await verifyWebhook(input)).toMatchObject({ reason: 'missing_header' })
    await expect(verifyWebhook({ ...input, headerPrefix: 'a b' })).rejects.toThrow(TypeError)
  })
})

describe('ids and timestamps', () => {
  it.each(['a.b', 'a b', 'a\nb', 'é', 'x'.repeat(257)])('the id %j is refused', async (id) => {
    expect(await verify({ headers: { 'webhook-id': id } })).toMatchObject({ reason: 'malformed_id' })
    await expect(signWebhook({ id, timestamp: 1, body: '', secrets: [SECRET] })).rejects.toThrow(TypeError)
  })

  it('a dot cannot move bytes from the body into the id', async () => {
    // Signed as id "evt_aaaaaaaa", body "1795456935.{}"; read as id "evt_aaaaaaaa.1795456935", body "{}".
    const { headers } = signedRequest('evt_aaaaaaaa', `${NOW / 1000}.{}`)
    const shifted = { ...headers, 'webhook-id': `evt_aaaaaaaa.${NOW / 1000}` }
    expect(await verifyWebhook({ headers: shifted, body: '{}', secrets: SECRET, now })).toMatchObject({ ok: false })
  })

  it.each(['', '-1', '+1795456935', '01795456935', '1795456935000000', '١٧٩٥', 'NaN', '0x6b046f67', '1795456935\n'])(
    'the timestamp %j is refused',
    async (timestamp) => {
      const result = await verify({ headers: { 'webhook-timestamp': timestamp } })
      expect(result).toMatchObject({ reason: timestamp === '' ? 'missing_header' : 'malformed_timestamp' })
    },
  )

  it('milliseconds are in the far future, and the message names the unit', async () => {
    const result = await verify({ headers: { 'webhook-timestamp': '179545693500' } })
    expect(result).toMatchObject({ reason: 'timestamp_in_future', fix: expect.stringContaining('seconds') })
  })

  it.each([
    [300, undefined, true],
    [300.999, undefined, true],
    [301, undefined, false],
    [-300, undefined, true],
    [-301, undefined, false],
    [10, 10, true],
    [11, 10, false],
    [0, 0, true],
    [1, 0, false],
    [1e9, Infinity, true],
  ])('an age of %d s with a tolerance of %s: accepted %s', async (age, toleranceSeconds, accepted) => {
    const result = await verify({ now: () => NOW + age * 1000, toleranceSeconds })
    expect(result.ok).toBe(accepted)
    if (!accepted) expect(result).toMatchObject({ reason: age > 0 ? 'timestamp_too_old' : 'timestamp_in_future' })
  })

  it('a tolerance that is no number does not switch the check off', async () => {
    await expect(verify({ toleranceSeconds: Number.NaN })).rejects.toThrow(TypeError)
    await expect(verify({ toleranceSeconds: -1 })).rejects.toThrow(TypeError)
  })

  it('uses the real clock where none is given', async () => {
    expect(await verify({ now: undefined })).toMatchObject({ ok: false })
    const fresh = signedRequest(ID, '{}', { now: Date.now() })
    expect(await verifyWebhook({ ...fresh, secrets: SECRET })).toMatchObject({ ok: true })
  })
})

describe('signatures', () => {
  const right = signedRequest(ID, '{"a":1}').headers['webhook-signature'] as string

  it.each([
    ['nonsense', 'malformed_signature'],
    [right.slice(3), 'malformed_signature'],
    [right.replace(',', '='), 'malformed_signature'],
    [right.slice(0, -1), 'malformed_signature'],
    [`"${right}"`, 'malformed_signature'],
    [right.replace('v1', 'V1'), 'malformed_signature'],
    [right.replace('v1', 'v2'), 'no_supported_signature'],
    [right.replace('v1', 'v1a'), 'no_supported_signature'],
    ['v1,AAAA', 'wrong_signature'],
    [Array(33).fill(right).join(' '), 'too_many_signatures'],
    [' '.repeat(100_000), 'too_many_signatures'],
  ])('%.60s: %s', async (signature, reason) => {
    expect(await verify({ headers: { 'webhook-signature': signature } })).toMatchObject({ ok: false, reason })
  })

  it('a prefix of the right one is not right', async () => {
    const short = Buffer.from(right.slice(3), 'base64').subarray(0, 30).toString('base64')
    expect(await verify({ headers: { 'webhook-signature': `v1,${short}` } })).toMatchObject({
      reason: 'wrong_signature',
    })
  })

  it('the 32nd is still looked at', async () => {
    const list = [...Array<string>(31).fill('v1,AAAA'), right].join(' ')
    expect(await verify({ headers: { 'webhook-signature': list } })).toMatchObject({ ok: true })
  })

  it('an HMAC made with a public key as its secret is not taken for an ed25519 signature', async () => {
    const entry = CORPUS[0] as (typeof CORPUS)[0]
    const { headers, body } = signedRequest(ID, '{}', { secret: entry.ed25519.public_key.replace('whpk_', 'whsec_') })
    const result = await verifyWebhook({ headers, body, secrets: entry.ed25519.public_key, now })
    expect(result).toMatchObject({ reason: 'no_supported_signature', message: expect.stringContaining('HMAC') })
  })

  it('a runtime without ed25519 still checks HMAC, and says so where it cannot', async () => {
    const entry = CORPUS[0] as (typeof CORPUS)[0]
    const headers = {
      'webhook-id': entry.id,
      'webhook-timestamp': `${entry.timestamp}`,
      'webhook-signature': `${entry.ed25519.signature} ${entry.hmac[0]?.signature}`,
    }
    const input = { headers, body: corpusBody(entry), now: () => entry.timestamp * 1000 }
    const importKey = crypto.subtle.importKey.bind(crypto.subtle)
    const spy = vi
      .spyOn(crypto.subtle, 'importKey')
      .mockImplementation(((...args: Parameters<typeof importKey>) =>
        args[2] === 'Ed25519'
          ? Promise.reject(new Error('Unrecognized name'))
          : importKey(...args)) as typeof importKey)
    try {
      const both = [entry.ed25519.public_key, entry.hmac[0]?.secret as string]
      expect(await verifyWebhook({ ...input, secrets: both })).toMatchObject({ ok: true, secretIndex: 1 })
      const one = await verifyWebhook({ ...input, secrets: entry.ed25519.public_key })
      expect(one).toMatchObject({ ok: false, reason: 'unsupported_runtime' })
    } finally {
      spy.mockRestore()
    }
  })
})

describe('secrets and bodies', () => {
  it('no secret, and a secret that cannot be used, are named without being shown', async () => {
    expect(await verify({ secrets: [] })).toMatchObject({ reason: 'no_secret' })
    expect(await verify({ secrets: undefined as never })).toMatchObject({ reason: 'no_secret' })
    const result = await verify({ secrets: [SECRET, `${OTHER_SECRET} `] })
    expect(result).toMatchObject({ reason: 'malformed_secret', message: expect.stringContaining('Secret 2 of 2') })
    expect(JSON.stringify(result)).not.toContain(OTHER_SECRET.slice(6, 16))
  })

  it.each([[{}], [[]], [null], [undefined], [42], [new Map()]])('the body %j is not raw', async (body) => {
    expect(await verify({ body: body as never })).toMatchObject({ reason: 'body_not_raw' })
  })

  it('views and buffers of other realms are raw', async () => {
    const { headers, body } = signedRequest(ID, '{"a":1}')
    const foreign = runInContext(
      'Uint8Array.from(codes)',
      createContext({ codes: [...Buffer.from(body)] }),
    ) as Uint8Array
    expect(foreign).not.toBeInstanceOf(Uint8Array)
    const padded = Buffer.from(`__${body}__`)
    const views = [foreign, foreign.buffer as ArrayBuffer, padded.subarray(2, -2)]
    for (const view of views)
      expect(await verifyWebhook({ headers, body: view, secrets: SECRET, now })).toMatchObject({ ok: true })
  })
})
