import { createHash } from 'node:crypto'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { verifyWebhook } from '@runbell/sdk/signing'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createEndpoint,
  deliveryOf,
  eventOf,
  newType,
  publish,
  replay,
  request,
  untilDelivery,
  type CreatedEndpoint,
} from '../support/client.ts'
import { hasTool } from '../support/machine-tool.ts'
import type { Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'
import { signatureHeaders, signaturesOf, signWithNode, signWithOpenssl, signWithPython } from '../support/signatures.ts'

const FAILURES = 4
/** Over a second each, so that no two attempts have the same timestamp: ±20 % of 1300 ms. */
const OVER_A_SECOND = Array.from({ length: FAILURES }, () => 1300)
/** Changes when it is parsed and written anew. */
const DATA = '{"big":12345678901234567890,"one":1.0,"text":"caf\\u00e9 \\/ 🔔","list":[ 1,\t2 ]}'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('G9: All attempts and replays of a delivery carry identical bytes; only timestamp, signatures and attempt number change.', () => {
  const server = shareServer()
  let receiver: Receiver
  let endpoint: CreatedEndpoint
  let eventId: string

  beforeAll(async () => {
    receiver = await server.receiver((index) => (index < FAILURES ? 500 : 204))
    const type = newType()
    endpoint = await createEndpoint(server, receiver.url, type, { retry_schedule: OVER_A_SECOND })
    const text = `{"type":"${type}","run_id":"g9","agent":{"id":"agent-ü"},"data":${DATA}}`
    eventId = (await publish(server, text)).event_id
    await untilDelivery(server, eventId)
  })

  const header = (name: string) => receiver.received.map(({ headers }) => headers[name])

  test('four failures and a success are five requests with identical bodies', () => {
    expect(receiver.received).toHaveLength(FAILURES + 1)
    expect(new Set(receiver.received.map(({ body }) => body.toString('base64'))).size).toBe(1)
    expect(receiver.received[0]?.body.toString()).toContain(`"data":${DATA}}`)
  })

  test('their SHA-256 is the one the API shows, and that of the bytes it returns', async () => {
    const hash = sha256(receiver.received[0]?.body ?? Buffer.alloc(0))
    expect((await deliveryOf(server, eventId)).body_sha256).toBe(hash)
    expect((await eventOf(server, eventId)).body_sha256).toBe(hash)
    for (const query of ['', `?endpoint_id=${endpoint.id}`]) {
      const { bytes, headers } = await request(server, 'GET', `/v1/events/${eventId}/body${query}`)
      expect(sha256(bytes)).toBe(hash)
      expect(headers.get('runbell-body-sha256')).toBe(hash)
    }
  })

  test('id and delivery stay, attempt number and timestamp rise, each signature is another', () => {
    expect(new Set(header('webhook-id'))).toEqual(new Set([eventId]))
    expect(new Set(header('runbell-delivery-id')).size).toBe(1)
    expect(header('runbell-attempt')).toEqual(['1', '2', '3', '4', '5'])
    const times = header('webhook-timestamp').map(Number)
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
    for (const time of times) expect(Math.abs(Date.now() / 1000 - time)).toBeLessThan(300)
    expect(new Set(header('webhook-signature')).size).toBe(FAILURES + 1)
  })

  test('nothing else differs from attempt to attempt', () => {
    const changing = new Set(['webhook-timestamp', 'webhook-signature', 'runbell-attempt', 'connection'])
    const rest = receiver.received.map(({ headers }) => Object.entries(headers).filter(([name]) => !changing.has(name)))
    expect(new Set(rest.map((entries) => JSON.stringify(entries))).size).toBe(1)
  })

  test('each signature is valid for its own timestamp, computed anew with node:crypto', () => {
    const secret = endpoint.secret ?? ''
    expect(secret).toMatch(/^whsec_/)
    for (const each of receiver.received) expect(signaturesOf(each)).toEqual([signWithNode(secret, each)])
  })

  const hasPython = hasTool("G9, signatures computed with Python's hmac", 'python3', '-c', 'import hmac')
  test.skipIf(!hasPython)("and with Python's hmac", () => {
    const expected = signWithPython(endpoint.secret ?? '', receiver.received)
    expect(receiver.received.map(signaturesOf)).toEqual(expected.map((signature) => [signature]))
  })

  const hasOpenssl = hasTool('G9, signatures computed with openssl', 'openssl', 'version')
  test.skipIf(!hasOpenssl)('and with openssl', () => {
    for (const each of receiver.received)
      expect(signaturesOf(each)).toEqual([signWithOpenssl(endpoint.secret ?? '', each)])
  })

  test.each([
    ['standardwebhooks', StandardWebhook],
    ['svix', SvixWebhook],
  ])('the library %s accepts each of them, and none with a byte changed', (_name, Webhook) => {
    const webhook = new Webhook(endpoint.secret ?? '')
    for (const each of receiver.received) {
      const headers = signatureHeaders(each)
      const text = each.body.toString()
      expect(() => webhook.verify(text, headers)).not.toThrow()
      expect(() => webhook.verify(`${text} `, headers)).toThrow(/No matching signature/)
      const other = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }
      expect(() => webhook.verify(text, other)).toThrow(/No matching signature/)
    }
  })

  test('our own verifier accepts each of them', async () => {
    for (const { body, headers } of receiver.received) {
      const secrets = endpoint.secret ?? ''
      expect(await verifyWebhook({ headers, body, secrets })).toMatchObject({ ok: true, id: eventId })
    }
  })

  test('a replay sends the same bytes again, also after a restart', async () => {
    const [first] = receiver.received
    for (const round of [1, 2]) {
      await replay(server, eventId)
      await receiver.until((received) => received.length === FAILURES + 1 + round)
      await untilDelivery(server, eventId)
      if (round === 1) await server.crash()
    }
    const replayed = receiver.received.slice(FAILURES + 1)
    expect(replayed.map(({ headers }) => headers['runbell-attempt'])).toEqual(['6', '7'])
    for (const each of replayed) {
      expect(each.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
      expect(each.headers['webhook-id']).toBe(eventId)
      expect(signaturesOf(each)).toEqual([signWithNode(endpoint.secret ?? '', each)])
    }
  })
})
