import { once } from 'node:events'
import { connect } from 'node:net'
import type { Accepted, BatchAccepted, EventView, Page, Problem } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveriesOf,
  get,
  newEventId,
  newType,
  post,
  publish,
  request,
  type NewEvent,
} from '../support/client.ts'
import { hasTool, limitProcess } from '../support/machine-tool.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

interface Refused {
  name: string
  status: number
  code: string
  /** What makes the event, or the request, wrong. */
  wrong(event: NewEvent): { body: string; headers?: Record<string, string> }
}

const changed = (change: Record<string, unknown>) => (event: NewEvent) => ({
  body: JSON.stringify({ ...event, ...change }),
})

const REFUSED: Refused[] = [
  { name: 'an unknown field', status: 422, code: 'invalid_request', wrong: changed({ colour: 'red' }) },
  { name: 'data that is no object', status: 422, code: 'invalid_request', wrong: changed({ data: 7 }) },
  {
    name: 'a type that is reserved',
    status: 422,
    code: 'unknown_event_type',
    wrong: changed({ type: 'agent.run.begun' }),
  },
  { name: 'a sequence of its own', status: 422, code: 'invalid_request', wrong: changed({ sequence: 1 }) },
  {
    name: 'a cut body',
    status: 400,
    code: 'malformed_json',
    wrong: (event) => ({ body: JSON.stringify(event).slice(0, -1) }),
  },
  {
    name: 'a key twice',
    status: 400,
    code: 'duplicate_key',
    wrong: (event) => ({ body: `${JSON.stringify(event).slice(0, -1)},"agent":{"id":"a"}}` }),
  },
  {
    name: 'a body over 256 KiB',
    status: 413,
    code: 'payload_too_large',
    wrong: changed({ data: { text: 'x'.repeat(262_144) } }),
  },
  {
    name: 'another content type',
    status: 415,
    code: 'unsupported_media_type',
    wrong: (event) => ({ body: JSON.stringify(event), headers: { 'content-type': 'text/plain' } }),
  },
  {
    name: 'a key nobody has',
    status: 401,
    code: 'unauthenticated',
    wrong: (event) => ({ body: JSON.stringify(event), headers: { authorization: 'Bearer rb_live_nobody' } }),
  },
]

/** Sends a whole request and goes away without waiting for the answer. */
async function publishAndHangUp(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const head = [
    'POST /v1/events HTTP/1.1',
    'host: runbell',
    `authorization: Bearer ${ADMIN_KEY}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ]
  await once(socket, 'connect')
  await new Promise((resolve) => socket.write(`${head.join('\r\n')}\r\n\r\n${text}`, resolve))
  socket.destroy()
  await once(socket, 'close')
}

describe(
  'G2: Any other answer (an error, a timeout, a dropped connection) means *unknown*, except a 4xx with our error body, ' +
    'which means *not stored*. Repeating with the same `event_id` or `Idempotency-Key` is always safe while the event is ' +
    'kept, at least 30 days.',
  () => {
    const server = shareServer()

    const events = async (type: string) => (await get<Page<EventView>>(server, `/v1/events?type=${type}`)).data

    test.each(REFUSED)('$name: $status $code, and nothing is stored', async ({ status, code, wrong }) => {
      const eventId = newEventId()
      const event = anEvent(newType(), { event_id: eventId })
      const answer = await request<Problem>(server, 'POST', '/v1/events', wrong(event))
      expect(answer).toMatchObject({ status, json: { code, status } })
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect((await request(server, 'GET', `/v1/events/${eventId}`)).status).toBe(404)
      // The id is free: had anything been kept, other bytes would now be a conflict.
      expect(await publish(server, { ...event, data: { n: 2 } })).toMatchObject({ event_id: eventId, duplicate: false })
    })

    test('a conflict leaves the first bytes as they are', async () => {
      const eventId = newEventId()
      const event = anEvent(newType(), { event_id: eventId, data: { first: true } })
      await publish(server, event)
      const answer = await request<Problem>(server, 'POST', '/v1/events', {
        body: { ...event, data: { first: false } },
      })
      expect(answer).toMatchObject({ status: 409, json: { code: 'event_conflict' } })
      const stored = await get<EventView>(server, `/v1/events/${eventId}`)
      expect(stored.data).toEqual({ first: true })
    })

    test('a rejected item of a batch is not stored, and those beside it are', async () => {
      const type = newType()
      const [good, bad, also] = [newEventId(), newEventId(), newEventId()]
      const { results } = await post<BatchAccepted>(server, '/v1/events/batch', [
        anEvent(type, { event_id: good }),
        anEvent(type, { event_id: bad, data: null }),
        anEvent(type, { event_id: also }),
      ])
      expect(results.map(({ event_id, status }) => [event_id, status])).toEqual([
        [good, 'accepted'],
        [bad, 'rejected'],
        [also, 'accepted'],
      ])
      expect((await events(type)).map(({ event_id }) => event_id).sort()).toEqual([good, also].sort())
    })

    test('a broken array is 400 and stores nothing of what stood before the break', async () => {
      const type = newType()
      const body = `[${JSON.stringify(anEvent(type, { event_id: newEventId() }))},{"type":`
      const answer = await request<Problem>(server, 'POST', '/v1/events/batch', { body })
      expect(answer).toMatchObject({ status: 400, json: { code: 'malformed_json' } })
      expect(await events(type)).toEqual([])
    })

    test('after a dropped connection, repeating with the same event_id makes one event of both', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      for (let round = 0; round < 10; round++) {
        const text = JSON.stringify(anEvent(type, { event_id: newEventId() }))
        await publishAndHangUp(server.url, text)
        const { event_id: eventId } = await publish(server, text)
        expect(await deliveriesOf(server, eventId)).toHaveLength(1)
      }
      expect(await events(type)).toHaveLength(10)
      await receiver.until((received) => received.length >= 10)
    })

    test('repeating with the same Idempotency-Key is as safe', async () => {
      const type = newType()
      const body = JSON.stringify(anEvent(type))
      const headers = { 'idempotency-key': 'order 4711, first try' }
      const first = await publish(server, body, { headers })
      expect(await publish(server, body, { headers })).toEqual({ ...first, duplicate: true })
      expect(await events(type)).toHaveLength(1)
    })

    const canLimit = hasTool('G2, publishing on a disk that fails', 'prlimit', '--pid', String(process.pid), '--fsize')

    test.skipIf(!canLimit)('a disk that fails is no 202, and repeating succeeds once it works again', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const body = JSON.stringify(anEvent(type, { event_id: newEventId() }))
      const { pid } = server.process.child

      limitProcess(pid, '--fsize=1:')
      const failed = await request<Problem>(server, 'POST', '/v1/events', { body })
      expect([503, 507]).toContain(failed.status)
      expect(failed.json.retryable).toBe(true)
      expect(failed.headers.get('retry-after')).toMatch(/^\d+$/)
      expect((await request(server, 'GET', '/v1/events')).status).toBe(200)

      limitProcess(pid, '--fsize=unlimited:')
      const again = () => request<Accepted>(server, 'POST', '/v1/events', { body })
      const { json } = await until('the event is taken', again, ({ status }) => status === 202)
      await receiver.until((received) => received.length >= 1)
      expect(await events(type)).toHaveLength(1)
      expect(await deliveriesOf(server, json.event_id)).toHaveLength(1)
    })
  },
)
