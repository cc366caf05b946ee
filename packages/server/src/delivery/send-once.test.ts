import { describe, expect, it } from 'vitest'
import { endpoint } from '../../test/endpoint.ts'
import { FakeClock } from '../../test/fake-clock.ts'
import { asOpen } from '../../test/plain-vault.ts'
import { response } from '../../test/runner-world.ts'
import type { AttemptOutcome, AttemptRequest } from '../core/attempt-outcome.ts'
import type { EndpointRow } from '../store/rows.ts'
import { createSendOnce } from './send-once.ts'

/** A sender to endpoints of these rows, whose requests end when `answer` is called. */
function sender(rows: EndpointRow[]) {
  const requests: { request: AttemptRequest; answer: (outcome: AttemptOutcome) => void }[] = []
  const send = createSendOnce({
    clock: new FakeClock(),
    transport: {
      send: (request) => new Promise((answer) => requests.push({ request, answer })),
      close: async () => {},
    },
    sign: () => 'v1,abc',
    userAgent: 'Runbell/0',
    store: {
      loadEndpoints: async ({ endpointIds }) => ({
        endpoints: rows.filter(({ id }) => endpointIds.includes(id)),
        configVersion: 1,
      }),
    },
    open: async (endpoints) => endpoints.map(asOpen),
  })
  const body = new TextEncoder().encode('{}')
  const to = (endpointId: string) => send({ endpointId, eventId: 'evt_test_1', deliveryId: 'dlv_test_1', body })
  const turn = () => new Promise((done) => setImmediate(done))
  return { to, turn, requests, body }
}

describe('sending once', () => {
  it('sends the bytes it was given, signed, as attempt 1', async () => {
    const { to, turn, requests, body } = sender([endpoint({ id: 'ep_1' })])
    const result = to('ep_1')
    await turn()
    expect(requests[0]?.request.body).toBe(body)
    expect(Object.fromEntries(requests[0]?.request.headers ?? [])).toMatchObject({
      ...{ 'webhook-id': 'evt_test_1', 'webhook-signature': 'v1,abc', 'runbell-attempt': '1' },
      'runbell-delivery-id': 'dlv_test_1',
    })
    requests[0]?.answer(response(200))
    expect(await result).toMatchObject({ outcome: { status: 200 } })
  })

  it('sends nothing where there is no endpoint, or none with a URL', async () => {
    const { to, requests } = sender([endpoint({ id: 'ep_pull', url: null })])
    expect([await to('ep_none'), await to('ep_pull')]).toEqual([null, null])
    expect(requests).toEqual([])
  })

  it('sends one at a time to an endpoint and sixteen in all, and goes on when one has ended', async () => {
    const rows = Array.from({ length: 17 }, (_, index) => endpoint({ id: `ep_${index}` }))
    const { to, turn, requests } = sender(rows)
    const first = to('ep_0')
    expect(await to('ep_0')).toBe('busy')
    const others = rows.slice(1, 16).map(({ id }) => to(id))
    expect(await to('ep_16')).toBe('busy')
    await turn()
    expect(requests).toHaveLength(16)
    requests[0]?.answer(response(204))
    await first
    const again = to('ep_16')
    await turn()
    for (const { answer } of requests) answer(response(204))
    const ended = await Promise.all([...others, again])
    expect(ended.map((result) => result !== null && result !== 'busy')).toEqual(ended.map(() => true))
  })

  it('is not busy for ever after a store that was away', async () => {
    const { to, turn, requests } = sender([endpoint({ id: 'ep_1' })])
    const broken = createSendOnce({
      ...{ clock: new FakeClock(), sign: () => '', userAgent: '' },
      transport: { send: async () => response(204), close: async () => {} },
      store: { loadEndpoints: () => Promise.reject(new Error('away')) },
      open: async () => [],
    })
    const input = { endpointId: 'ep_1', eventId: 'evt_test_1', deliveryId: 'dlv_test_1', body: new Uint8Array() }
    for (let tries = 0; tries < 2; tries++) await expect(broken(input)).rejects.toThrow('away')
    const result = to('ep_1')
    await turn()
    requests[0]?.answer(response(204))
    expect(await result).not.toBe('busy')
  })
})
