import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  deliveryOf,
  newEventId,
  newType,
  publish,
  request,
  untilDelivery,
  type CreatedEndpoint,
} from '../support/client.ts'
import { openStream, type OpenStream, type StreamEvent } from '../support/event-stream.ts'
import { call } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const server = shareServer()

async function newRelay(type: string, more: Record<string, unknown> = {}): Promise<CreatedEndpoint> {
  const body = { kind: 'relay', event_types: [type], ...more }
  return await call<CreatedEndpoint>(server, 'POST', '/v1/endpoints', body)
}

const listen = (endpoint: { id: string }): Promise<OpenStream> =>
  openStream(server, `/v1/endpoints/${endpoint.id}/relay`)
const tell = (endpoint: { id: string }, attemptId: string, outcome: unknown) =>
  request(server, 'POST', `/v1/endpoints/${endpoint.id}/relay/${attemptId}`, { body: outcome })

test('what is published is handed out with the headers and bytes of a delivery, and what the listener tells is on record', async () => {
  const type = newType()
  const endpoint = await newRelay(type)
  expect(endpoint).toMatchObject({ kind: 'relay', url: null, retry_schedule: [] })
  const stream = await listen(endpoint)
  await stream.untilEvents('ready', 1)
  const eventId = newEventId()
  await publish(server, anEvent(type, { event_id: eventId }))
  const attempt = (await stream.untilEvents('attempt', 1))[0] as StreamEvent
  const { attempt_id: attemptId, headers, body_base64: body, number } = attempt.data
  const bytes = Buffer.from(body, 'base64')
  expect(new Webhook(endpoint.secret as string).verify(bytes, headers)).toMatchObject({ event_id: eventId, type })
  expect([number, headers['runbell-attempt'], headers['webhook-id']]).toEqual([1, '1', eventId])
  // On record before it was handed out (guarantee G8).
  const pending = await deliveryOf(server, eventId)
  expect(await attemptsOf(server, pending.id)).toMatchObject([{ id: attemptId, outcome: null, status_code: null }])
  const told = await tell(endpoint, attemptId, {
    ...{ status_code: 201, duration_ms: 12, response_headers: { 'X-Answer': 'yes' } },
    response_excerpt_base64: Buffer.from('thanks').toString('base64'),
  })
  expect(told.status).toBe(202)
  expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered', attempt_count: 1 })
  expect(await attemptsOf(server, pending.id)).toMatchObject([
    {
      ...{ outcome: 'delivered', status_code: 201, duration_ms: 12, response_headers: { 'x-answer': 'yes' } },
      response_excerpt: { text: 'thanks', truncated: false },
    },
  ])
  // It was told once.
  expect((await tell(endpoint, attemptId, { status_code: 500, duration_ms: 1 })).status).toBe(404)
  stream.close()
})

test('there is one attempt: an error, or no answer in time, makes a dead letter', async () => {
  const type = newType()
  const endpoint = await newRelay(type, { timeout_ms: 1000 })
  const stream = await listen(endpoint)
  const ids = [newEventId(), newEventId(), newEventId()]
  for (const id of ids) await publish(server, anEvent(type, { event_id: id }))
  const attempts = await stream.untilEvents('attempt', 2)
  const ofEvent = (id: string | undefined) =>
    stream.events.find(({ data }) => data.headers?.['webhook-id'] === id)?.data.attempt_id as string
  expect(attempts.length).toBeGreaterThanOrEqual(2)
  await until(
    'the first is there',
    async () => ofEvent(ids[0]),
    (found) => found !== undefined,
  )
  await tell(endpoint, ofEvent(ids[0]), { error: 'connect_failed', duration_ms: 3 })
  await until(
    'the second is there',
    async () => ofEvent(ids[1]),
    (found) => found !== undefined,
  )
  await tell(endpoint, ofEvent(ids[1]), { status_code: 410, duration_ms: 3 })
  const ended = await Promise.all(ids.map((id) => untilDelivery(server, id)))
  expect(ended.map(({ status }) => status)).toEqual(['dead_lettered', 'dead_lettered', 'dead_lettered'])
  const outcomes = await Promise.all(
    ended.map(async ({ id }) => (await attemptsOf(server, id)).map((one) => one.outcome)),
  )
  expect(outcomes).toEqual([['connect_failed'], ['http_error'], ['timeout']])
  // A 410 disables what is sent to over HTTP; here somebody looks on.
  expect(await call(server, 'GET', `/v1/endpoints/${endpoint.id}`)).toMatchObject({ status: 'enabled' })
  stream.close()
})

test('what comes while nobody listens waits, and whoever listens last gets it', async () => {
  const type = newType()
  const endpoint = await newRelay(type)
  const eventId = newEventId()
  await publish(server, anEvent(type, { event_id: eventId }))
  const first = await listen(endpoint)
  const [attempt] = await first.untilEvents('attempt', 1)
  const second = await listen(endpoint)
  await first.ended
  expect(first.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'replaced' } })
  // What the first was given may still be told of.
  expect((await tell(endpoint, attempt?.data.attempt_id, { status_code: 204, duration_ms: 1 })).status).toBe(202)
  const later = newEventId()
  await publish(server, anEvent(type, { event_id: later }))
  const [next] = await second.untilEvents('attempt', 1)
  expect(next?.data.headers['webhook-id']).toBe(later)
  await tell(endpoint, next?.data.attempt_id, { status_code: 204, duration_ms: 1 })
  expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered' })
  expect(await untilDelivery(server, later)).toMatchObject({ status: 'delivered' })
  second.close()
})

test('a deleted endpoint sends its listener away, and what a revoked key may not see ends within a second or so', async () => {
  const type = newType()
  const endpoint = await newRelay(type)
  const stream = await listen(endpoint)
  await stream.untilEvents('ready', 1)
  await call(server, 'DELETE', `/v1/endpoints/${endpoint.id}`)
  await stream.ended
  expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'endpoint_gone' } })
  const key = await call<{ id: string; key: string }>(server, 'POST', '/v1/api-keys', { scopes: ['manage'] })
  const other = await newRelay(type)
  const read = await openStream(server, `/v1/endpoints/${other.id}/relay`, { key: key.key })
  await read.untilEvents('ready', 1)
  await call(server, 'DELETE', `/v1/api-keys/${key.id}`)
  await read.ended
  expect(read.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'key_revoked' } })
})

test('a server that crashes with an attempt handed out says so, and a listener that comes again goes on', async () => {
  const type = newType()
  const endpoint = await newRelay(type)
  const stream = await listen(endpoint)
  const eventId = newEventId()
  await publish(server, anEvent(type, { event_id: eventId }))
  await stream.untilEvents('attempt', 1)
  await server.crash()
  await stream.ended
  const ended = await untilDelivery(server, eventId)
  expect(ended).toMatchObject({ status: 'cancelled', reason: 'listener_gone', attempt_count: 1 })
  expect(await attemptsOf(server, ended.id)).toMatchObject([{ number: 1, outcome: 'unknown' }])
  const again = await listen(endpoint)
  const later = newEventId()
  await publish(server, anEvent(type, { event_id: later }))
  const [attempt] = await again.untilEvents('attempt', 1)
  await tell(endpoint, attempt?.data.attempt_id, { status_code: 200, duration_ms: 1 })
  expect(await untilDelivery(server, later)).toMatchObject({ status: 'delivered' })
  again.close()
})

test('a server that stops says so to whoever listens', async () => {
  const endpoint = await newRelay(newType())
  const stream = await listen(endpoint)
  await stream.untilEvents('ready', 1)
  expect(await server.process.end('SIGTERM')).toBe(0)
  await stream.ended
  expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'stopping' } })
  await server.start()
})
