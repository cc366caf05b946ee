import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NOW, OTHER_SECRET, SECRET } from '../../test/signed-request.ts'
import { signedHeaders, verifyWebhook } from './index.ts'

const BODIES = ['{}', '{"text":"日本語 — 🚀","big":12345678901234567890}', '{\r\n "a": 1.0 }\n']
const ID = 'evt_01KAXW2M7Q8R5T9V3B6N0P1C2D'
const timestamp = NOW / 1000

describe.each([
  ['standardwebhooks', StandardWebhook],
  ['svix', SvixWebhook],
])('the library %s', (_name, Webhook) => {
  // These read the clock themselves.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }))
  afterEach(() => void vi.useRealTimers())

  it.each(BODIES)('accepts what we sign: %j', async (body) => {
    const headers = await signedHeaders({ id: ID, timestamp, body, secrets: [SECRET] })
    expect(() => new Webhook(SECRET).verify(body, headers)).not.toThrow()
    expect(() => new Webhook(OTHER_SECRET).verify(body, headers)).toThrow(/No matching signature/)
    expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow(/No matching signature/)
  })

  it('accepts both secrets of a rotation', async () => {
    const headers = await signedHeaders({ id: ID, timestamp, body: '{}', secrets: [OTHER_SECRET, SECRET] })
    for (const secret of [SECRET, OTHER_SECRET]) expect(() => new Webhook(secret).verify('{}', headers)).not.toThrow()
  })

  it.each(BODIES)('signs what we accept: %j', async (body) => {
    const signature = new Webhook(SECRET).sign(ID, new Date(NOW), body)
    const headers = { 'webhook-id': ID, 'webhook-timestamp': `${timestamp}`, 'webhook-signature': signature }
    expect(await verifyWebhook({ headers, body, secrets: [OTHER_SECRET, SECRET] })).toEqual({
      ok: true,
      id: ID,
      timestamp,
      secretIndex: 1,
    })
    expect(await verifyWebhook({ headers, body, secrets: OTHER_SECRET })).toMatchObject({ reason: 'wrong_signature' })
  })
})
