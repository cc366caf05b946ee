import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  deliveryOf,
  newEventId,
  newType,
  publish,
  replay,
  request,
  type CreatedEndpoint,
} from '../support/client.ts'
import { call } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const server = shareServer()

interface Pulled {
  data: { delivery_id: string; headers: Record<string, string>; body_base64: string }[]
  next_cursor: string | null
}

const newPull = (type: string) =>
  call<CreatedEndpoint>(server, 'POST', '/v1/endpoints', { kind: 'pull', event_types: [type] })
const pull = ({ id }: { id: string }, limit = 100) =>
  call<Pulled>(server, 'POST', `/v1/endpoints/${id}/pull`, { limit })
const commit = ({ id }: { id: string }, cursor: string | null) =>
  call<{ committed: number }>(server, 'POST', `/v1/endpoints/${id}/pull/commit`, { cursor })
const eventIds = ({ data }: Pulled) => data.map(({ headers }) => headers['webhook-id'] as string)

async function publishSome(type: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newEventId('pull'))
  for (const id of ids) await publish(server, anEvent(type, { event_id: id }))
  return ids
}

test('what is fetched is signed, has the exact bytes, and is delivered when it is committed', async () => {
  const type = newType()
  const endpoint = await newPull(type)
  const ids = await publishSome(type, 3)
  const page = await pull(endpoint, 2)
  expect(eventIds(page)).toEqual(ids.slice(0, 2))
  for (const { headers, body_base64: body } of page.data) {
    const verified = new Webhook(endpoint.secret as string).verify(Buffer.from(body, 'base64'), headers)
    expect(verified).toMatchObject({ event_id: headers['webhook-id'], type })
  }
  const first = await deliveryOf(server, ids[0] as string)
  expect(first).toMatchObject({ status: 'pending', attempt_count: 0, next_attempt_at: null })
  expect(await attemptsOf(server, first.id)).toEqual([])
  expect(await commit(endpoint, page.next_cursor)).toEqual({ committed: 2 })
  expect(await commit(endpoint, page.next_cursor)).toEqual({ committed: 0 })
  expect(await deliveryOf(server, ids[0] as string)).toMatchObject({ status: 'delivered', attempt_count: 1 })
  expect(await attemptsOf(server, first.id)).toMatchObject([{ number: 1, outcome: 'delivered', status_code: null }])
  expect(eventIds(await pull(endpoint))).toEqual(ids.slice(2))
})

test('what was not committed when the server was killed comes again, and what was is delivered', async () => {
  const type = newType()
  const endpoint = await newPull(type)
  const ids = await publishSome(type, 4)
  const first = await pull(endpoint, 2)
  await commit(endpoint, first.next_cursor)
  const second = await pull(endpoint)
  expect(eventIds(second)).toEqual(ids.slice(2))
  await server.crash()
  expect(eventIds(await pull(endpoint))).toEqual(ids.slice(2))
  // A cursor outlives the server that made it.
  expect(await commit(endpoint, second.next_cursor)).toEqual({ committed: 2 })
  expect((await pull(endpoint)).next_cursor).toBeNull()
})

test('two consumers at once, while events come in: none is lost, none is passed over, each has one attempt', async () => {
  const type = newType()
  const endpoint = await newPull(type)
  const published: string[] = []
  let isPublishing = true
  const publishing = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 15; round++) published.push(...(await publishSome(type, 1)))
    }),
  ).then(() => (isPublishing = false))
  const seen = new Set<string>()
  const consume = async () => {
    for (;;) {
      const isLast = !isPublishing
      const page = await pull(endpoint, 7)
      for (const id of eventIds(page)) seen.add(id)
      if (page.next_cursor !== null) await commit(endpoint, page.next_cursor)
      else if (isLast) return
    }
  }
  await Promise.all([publishing, consume(), consume()])
  expect([...seen].toSorted()).toEqual(published.toSorted())
  for (const id of published) {
    expect(await deliveryOf(server, id)).toMatchObject({ status: 'delivered', attempt_count: 1 })
  }
})

test('a replay comes again, and an old cursor does not commit it; a cursor of another endpoint is refused', async () => {
  const type = newType()
  const [endpoint, other] = [await newPull(type), await newPull(newType())]
  const [eventId] = (await publishSome(type, 1)) as [string]
  const { next_cursor: old } = await pull(endpoint)
  await commit(endpoint, old)
  await replay(server, eventId)
  expect(await commit(endpoint, old)).toEqual({ committed: 0 })
  const again = await pull(endpoint)
  expect(again.data.map(({ headers }) => [headers['webhook-id'], headers['runbell-attempt']])).toEqual([[eventId, '2']])
  const wrong = await request<{ code: string }>(server, 'POST', `/v1/endpoints/${other.id}/pull/commit`, {
    body: { cursor: again.next_cursor },
  })
  expect([wrong.status, wrong.json.code]).toEqual([400, 'cursor_invalid'])
})

test('nothing is fetched from a paused endpoint or by a key that may not see what it is granted, and other kinds have no line', async () => {
  const type = newType()
  const endpoint = await newPull(type)
  await publishSome(type, 1)
  const page = await pull(endpoint)
  await call(server, 'POST', `/v1/endpoints/${endpoint.id}/pause`)
  const ask = (path: string, key?: string) =>
    request<{ code: string }>(server, 'POST', path, { body: {}, ...(key === undefined ? {} : { key }) })
  expect((await ask(`/v1/endpoints/${endpoint.id}/pull`)).json.code).toBe('state_conflict')
  expect(await commit(endpoint, page.next_cursor)).toEqual({ committed: 1 })
  const granted = await call<CreatedEndpoint>(server, 'POST', '/v1/endpoints', {
    ...{ kind: 'pull', event_types: [type], data_classes: ['prompt'] },
  })
  const { key } = await call<{ key: string }>(server, 'POST', '/v1/api-keys', { scopes: ['manage'] })
  const cut = await ask(`/v1/endpoints/${granted.id}/pull`, key)
  expect([cut.status, cut.json.code]).toEqual([403, 'insufficient_scope'])
  const relay = await call<CreatedEndpoint>(server, 'POST', '/v1/endpoints', { kind: 'relay' })
  expect((await ask(`/v1/endpoints/${relay.id}/pull`)).json.code).toBe('state_conflict')
})
