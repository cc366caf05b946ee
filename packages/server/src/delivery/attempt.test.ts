import { describe, expect, it } from 'vitest'
import { claim, endpoint } from '../../test/endpoint.ts'
import { asOpen } from '../../test/plain-vault.ts'
import { FakeClock } from '../../test/fake-clock.ts'
import { response } from '../../test/runner-world.ts'
import type { AttemptRequest } from '../core/attempt-outcome.ts'
import type { SecretRow } from '../store/rows.ts'
import { attemptDelivery, type Signer } from './attempt.ts'

const secret = (id: string, expiresAt: number | null): SecretRow => ({
  ...{ id, kind: 'hmac', value: `whsec_${id}`, publicKey: null, createdAt: 0, expiresAt },
})

async function attempt(row: Parameters<typeof endpoint>[0] = {}, sign?: Signer) {
  const clock = new FakeClock()
  clock.wallOffset = 3_600_000 + 999
  const requests: AttemptRequest[] = []
  const signed: Parameters<Signer>[0][] = []
  const transport = {
    send: async (request: AttemptRequest) => (requests.push(request), response(200)),
    close: async () => {},
  }
  const record: Signer = (input) => (signed.push(input), 'v1,abc v1,def')
  const dependencies = { transport, clock, sign: sign ?? record, userAgent: 'Runbell/0' }
  const body = new TextEncoder().encode('{"data":{"n":1.0}}')
  const one = claim({ number: 4, body, eventId: 'evt_12345678', deliveryId: 'dlv_9' })
  const result = await attemptDelivery(one, asOpen(endpoint(row)), dependencies)
  return { clock, requests, signed, result, body }
}

describe('an attempt', () => {
  it('sends the stored bytes with the headers of the contract, by the wall clock', async () => {
    const { requests, clock, body } = await attempt({ headers: { 'x-token': 's3cret' }, timeoutMs: 7000 })
    const seconds = String(Math.floor(clock.wall() / 1000))
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ url: 'https://example.com/hook', timeoutMs: 7000 })
    expect(requests[0]?.body).toBe(body)
    expect(Object.fromEntries(requests[0]?.headers ?? [])).toEqual({
      'content-type': 'application/json',
      'user-agent': 'Runbell/0',
      'webhook-id': 'evt_12345678',
      'webhook-timestamp': seconds,
      'webhook-signature': 'v1,abc v1,def',
      'runbell-attempt': '4',
      'runbell-delivery-id': 'dlv_9',
      'x-token': 's3cret',
    })
  })

  it('signs what it sends', async () => {
    const { signed, clock, body } = await attempt({ secrets: [secret('a', null)] })
    expect(signed).toMatchObject([{ id: 'evt_12345678', timestamp: Math.floor(clock.wall() / 1000) }])
    expect(signed[0]?.body).toBe(body)
  })

  it('signs with every secret that has not expired by service time, newest first', async () => {
    const now = new FakeClock().now()
    const secrets = [secret('new', null), secret('old', now + 1), secret('expired', now), secret('long ago', 5)]
    const { signed } = await attempt({ secrets })
    expect(signed[0]?.secrets.map(({ id }) => id)).toEqual(['new', 'old'])
  })

  it('keeps a record of its headers without the values of custom ones', async () => {
    const { result, clock } = await attempt({ headers: { 'x-token': 's3cret' } })
    expect(result.startedAt).toBe(clock.now())
    expect(Object.fromEntries(result.requestHeaders)).toMatchObject({ 'x-token': '•••', 'webhook-id': 'evt_12345678' })
    expect(JSON.stringify(result.requestHeaders)).not.toContain('s3cret')
  })

  it('that cannot be signed sends nothing, uses up nothing and tells nothing of the secret', async () => {
    const { result, requests } = await attempt({}, () => {
      throw new Error('whsec_broken is no secret')
    })
    expect(requests).toEqual([])
    expect(result.outcome.kind).toBe('not_sent')
    expect(JSON.stringify(result)).not.toContain('whsec')
  })
})
