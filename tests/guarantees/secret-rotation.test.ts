import { createPublicKey, verify } from 'node:crypto'
import { verifyWebhook } from '@runbell/sdk/signing'
import type { EndpointView, Page, Problem, SecretView } from '@runbell/sdk/contract'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  get,
  newType,
  post,
  publish,
  request,
  untilDelivery,
  type CreatedEndpoint,
  type CreatedSecret,
} from '../support/client.ts'
import type { Received, Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'
import { keyBytes, signatureHeaders, signaturesOf, signedBytes, signWithNode } from '../support/signatures.ts'

/** The DER that goes before the 32 bytes of an ed25519 public key (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Whether one of the request's signatures is of this `whpk_` key, asked of node:crypto. */
function verifiesWithNode(publicKey: string, received: Received): boolean {
  const raw = Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64')
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
  return signaturesOf(received).some((signature) => {
    const [version, value = ''] = signature.split(',')
    return version === 'v1a' && verify(null, signedBytes(received), key, Buffer.from(value, 'base64'))
  })
}

describe(
  'Signing: one signature per active secret, space-separated, newest first. Up to 5 active at once; rotation keeps the ' +
    'old one for a chosen overlap; revoke-now takes effect on the next attempt on every node.',
  () => {
    const server = shareServer()

    interface Scene {
      receiver: Receiver
      endpoint: CreatedEndpoint
      /** Publishes an event and returns the request it became. */
      next(): Promise<Received>
    }

    async function scene(settings: Record<string, unknown> = {}): Promise<Scene> {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      const endpoint = await createEndpoint(server, receiver.url, type, settings)
      const next = async () => {
        const { event_id: eventId } = await publish(server, anEvent(type))
        await untilDelivery(server, eventId)
        return receiver.received.find((each) => each.eventId === eventId) as Received
      }
      return { receiver, endpoint, next }
    }

    const rotate = (endpoint: EndpointView, body: unknown) =>
      post<CreatedSecret>(server, `/v1/endpoints/${endpoint.id}/secrets/rotate`, body)
    const secretsOf = async (endpoint: EndpointView) =>
      (await get<Page<SecretView>>(server, `/v1/endpoints/${endpoint.id}/secrets`)).data
    const revoke = (endpoint: EndpointView, secretId: string | undefined) =>
      request<Problem>(server, 'DELETE', `/v1/endpoints/${endpoint.id}/secrets/${secretId}`)

    test.concurrent('a secret holds 24 to 64 random bytes and is shown once, on creation', async () => {
      const { endpoint } = await scene()
      const secret = endpoint.secret ?? ''
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/)
      expect(keyBytes(secret).length).toBeGreaterThanOrEqual(24)
      expect(keyBytes(secret).length).toBeLessThanOrEqual(64)
      for (const path of ['', '/secrets']) {
        const { bytes } = await request(server, 'GET', `/v1/endpoints/${endpoint.id}${path}`)
        expect(bytes.toString()).not.toContain(secret.slice(6))
        expect(bytes.toString()).not.toContain('whsec_')
      }
    })

    test.concurrent('during the overlap both sign, newest first, and receivers with either accept', async () => {
      const { endpoint, next } = await scene()
      const old = endpoint.secret ?? ''
      const { secret = '' } = await rotate(endpoint, { overlap_seconds: 3600 })
      const received = await next()
      expect(signaturesOf(received)).toEqual([signWithNode(secret, received), signWithNode(old, received)])
      for (const each of [old, secret]) {
        const webhook = new StandardWebhook(each)
        expect(() => webhook.verify(received.body.toString(), signatureHeaders(received))).not.toThrow()
      }
      const [newest, retiring] = await secretsOf(endpoint)
      expect(newest).toMatchObject({ status: 'active', expires_at: null })
      expect(retiring?.status).toBe('retiring')
      const left = Date.parse(retiring?.expires_at ?? '') - Date.now()
      expect(left).toBeGreaterThan(3590_000)
      expect(left).toBeLessThanOrEqual(3600_000)
    })

    test.concurrent('the overlap is 24 hours unless it is chosen, and 7 days at most', async () => {
      const { endpoint } = await scene()
      await rotate(endpoint, undefined)
      const [, retiring] = await secretsOf(endpoint)
      const hours = (Date.parse(retiring?.expires_at ?? '') - Date.now()) / 3_600_000
      expect(hours).toBeGreaterThan(23.9)
      expect(hours).toBeLessThanOrEqual(24)
      const path = `/v1/endpoints/${endpoint.id}/secrets/rotate`
      const answer = await request<Problem>(server, 'POST', path, { body: { overlap_seconds: 7 * 86_400 + 1 } })
      expect(answer).toMatchObject({ status: 422, json: { errors: [{ path: '/overlap_seconds' }] } })
    })

    test.concurrent('after the overlap only the new one signs', async () => {
      const { endpoint, next } = await scene()
      const { secret = '' } = await rotate(endpoint, { overlap_seconds: 1 })
      let received = await next()
      expect(signaturesOf(received)).toHaveLength(2)
      const giveUpAt = Date.now() + 10_000
      while (signaturesOf(received).length > 1 && Date.now() < giveUpAt) received = await next()
      expect(signaturesOf(received)).toEqual([signWithNode(secret, received)])
      expect(await secretsOf(endpoint)).toHaveLength(1)
    })

    test.concurrent('an overlap of 0 replaces it at once', async () => {
      const { endpoint, next } = await scene()
      const { secret = '' } = await rotate(endpoint, { overlap_seconds: 0 })
      const received = await next()
      expect(signaturesOf(received)).toEqual([signWithNode(secret, received)])
    })

    test.concurrent('revoking takes effect on the next attempt, also of a delivery that waits for its retry', async () => {
      const receiver = await server.receiver((index) => (index === 0 ? 500 : 204))
      const type = newType()
      const endpoint = await createEndpoint(server, receiver.url, type, { retry_schedule: [1500] })
      const { secret = '' } = await rotate(endpoint, { overlap_seconds: 3600 })
      const [, old] = await secretsOf(endpoint)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await untilDelivery(server, eventId, ({ next_attempt_at: next }) => next !== null)
      expect((await revoke(endpoint, old?.id)).status).toBe(204)
      await untilDelivery(server, eventId)
      const [first, second] = receiver.received as [Received, Received]
      expect(signaturesOf(first)).toHaveLength(2)
      expect(signaturesOf(second)).toEqual([signWithNode(secret, second)])
    })

    test.concurrent('the last secret cannot be revoked: nothing is ever sent unsigned', async () => {
      const { endpoint, next } = await scene()
      const [only] = await secretsOf(endpoint)
      expect((await revoke(endpoint, only?.id)).status).toBe(409)
      expect(signaturesOf(await next())).toHaveLength(1)
    })

    test.concurrent('five sign at once at most; the oldest goes', async () => {
      const { endpoint, next } = await scene()
      const secrets: string[] = []
      for (let count = 0; count < 6; count++) {
        secrets.unshift((await rotate(endpoint, { overlap_seconds: 3600 })).secret ?? '')
      }
      const received = await next()
      expect(signaturesOf(received)).toEqual(secrets.slice(0, 5).map((secret) => signWithNode(secret, received)))
    })

    test.concurrent('ed25519: the signature verifies with node:crypto and the SDK, under the public key that creation showed', async () => {
      const { endpoint, next } = await scene({ signing: 'ed25519' })
      const publicKey = endpoint.public_key ?? ''
      expect(publicKey).toMatch(/^whpk_/)
      expect(endpoint).not.toHaveProperty('secret')
      const received = await next()
      expect(signaturesOf(received)).toEqual([expect.stringMatching(/^v1a,/)])
      expect(verifiesWithNode(publicKey, received)).toBe(true)
      const { headers, body } = received
      expect(await verifyWebhook({ headers, body, secrets: publicKey })).toMatchObject({ ok: true })
      const changed = Buffer.concat([body, Buffer.from(' ')])
      expect(verifiesWithNode(publicKey, { ...received, body: changed })).toBe(false)
      expect(await verifyWebhook({ headers, body: changed, secrets: publicKey })).toMatchObject({ ok: false })
    })

    test.concurrent('ed25519 rotates as well: both public keys verify during the overlap, the old one not after revoking', async () => {
      const { endpoint, next } = await scene({ signing: 'ed25519' })
      const rotated = await rotate(endpoint, { overlap_seconds: 3600 })
      const [old, fresh] = [endpoint.public_key ?? '', rotated.public_key ?? '']
      expect(fresh).not.toBe(old)
      const during = await next()
      expect([verifiesWithNode(old, during), verifiesWithNode(fresh, during)]).toEqual([true, true])
      const [, retiring] = await secretsOf(endpoint)
      await revoke(endpoint, retiring?.id)
      const after = await next()
      expect([verifiesWithNode(old, after), verifiesWithNode(fresh, after)]).toEqual([false, true])
    })

    test.concurrent('both: each delivery carries one signature of each kind', async () => {
      const { endpoint, next } = await scene({ signing: 'both' })
      const received = await next()
      expect(signaturesOf(received)).toHaveLength(2)
      expect(signaturesOf(received)).toContain(signWithNode(endpoint.secret ?? '', received))
      expect(verifiesWithNode(endpoint.public_key ?? '', received)).toBe(true)
    })

    test('secrets survive kill -9', async () => {
      const { endpoint, next } = await scene()
      const { secret = '' } = await rotate(endpoint, { overlap_seconds: 3600 })
      await server.crash()
      const received = await next()
      expect(signaturesOf(received)).toEqual([
        signWithNode(secret, received),
        signWithNode(endpoint.secret ?? '', received),
      ])
    })
  },
)
