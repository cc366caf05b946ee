import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createEndpoint,
  newType,
  post,
  publish,
  untilDelivery,
  type CreatedEndpoint,
  type CreatedSecret,
} from '../support/client.ts'
import type { Received, Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'

type Headers = Record<string, string>
type Verify = (body: string, headers: Headers, secret: string) => unknown

const openai = new OpenAI({ apiKey: 'not used' })
const anthropic = new Anthropic({ apiKey: 'not used' })

/** The libraries as their users call them, with nothing changed. */
const LIBRARIES: Record<string, Verify> = {
  standardwebhooks: (body, headers, secret) => new StandardWebhook(secret).verify(body, headers),
  svix: (body, headers, secret) => new SvixWebhook(secret).verify(body, headers),
  openai: (body, headers, secret) => openai.webhooks.unwrap(body, headers, secret),
  '@anthropic-ai/sdk': (body, headers, secret) => anthropic.beta.webhooks.unwrap(body, { headers, key: secret }),
}

const OTHER_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

function headersOf({ headers }: Received): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

describe('a delivery is verified by libraries that are not ours', () => {
  const server = shareServer()
  let receiver: Receiver
  let endpoint: CreatedEndpoint
  let secret: string
  let type: string

  beforeAll(async () => {
    receiver = await server.receiver(() => 204)
    type = newType()
    endpoint = await createEndpoint(server, receiver.url, type, { header_prefix: 'svix' })
    secret = endpoint.secret ?? ''
    const data = '{"text":"café 🔔","big":12345678901234567890,"one":1.0}'
    const { event_id: id } = await publish(server, `{"type":"${type}","agent":{"id":"a"},"data":${data}}`)
    await untilDelivery(server, id)
  })

  test.each(Object.keys(LIBRARIES))('%s takes it, and nothing that was changed', async (name) => {
    const verify = LIBRARIES[name] as Verify
    const [delivery] = receiver.received
    const [body, headers] = [delivery?.body.toString() ?? '', headersOf(delivery as Received)]
    // What cannot be verified is thrown.
    await verify(body, headers, secret)
    const refused = async (...given: Parameters<Verify>) => {
      await expect((async () => verify(...given))()).rejects.toThrow(/signature|timestamp/i)
    }
    await refused(`${body} `, headers, secret)
    await refused(JSON.stringify(JSON.parse(body)), headers, secret)
    await refused(body, headers, OTHER_SECRET)
    await refused(body, { ...headers, 'webhook-id': 'evt_other0001', 'svix-id': 'evt_other0001' }, secret)
    const old = String(Number(headers['webhook-timestamp']) - 3600)
    await refused(body, { ...headers, 'webhook-timestamp': old, 'svix-timestamp': old }, secret)
  })

  test('svix reads the headers of its own name, where the endpoint sends those, too', () => {
    const [delivery] = receiver.received
    const headers = headersOf(delivery as Received)
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('svix-')))
    expect(Object.keys(own).toSorted()).toEqual(['svix-id', 'svix-signature', 'svix-timestamp'])
    expect(() => new SvixWebhook(secret).verify(delivery?.body.toString() ?? '', own)).not.toThrow()
  })

  test('both secrets of a rotation are taken by all of them', async () => {
    const path = `/v1/endpoints/${endpoint.id}/secrets/rotate`
    const { secret: newer = '' } = await post<CreatedSecret>(server, path, { overlap_seconds: 3600 })
    const { event_id: id } = await publish(server, { type, agent: { id: 'a' }, data: {} })
    await untilDelivery(server, id)
    const delivery = receiver.received.at(-1) as Received
    expect(delivery.eventId).toBe(id)
    for (const verify of Object.values(LIBRARIES)) {
      for (const active of [newer, secret]) {
        await verify(delivery.body.toString(), headersOf(delivery), active)
      }
    }
  })
})
