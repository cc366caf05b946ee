import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveryOf,
  newEventId,
  newType,
  post,
  publish,
  request,
  untilDelivery,
} from '../support/client.ts'
import { registerOwnTypes } from '../support/own-types.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { ADMIN_KEY, startNode, TEST_ADMIN_KEY, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/*
 * Several processes on one Postgres. A node that was killed or stands still loses what it holds when its lease ends, 90 s after it was
 * last heard of; tests end it sooner, in the database.
 */

let database: TestDatabase
let nodes: ServerProcess[] = []
let receiver: Receiver

beforeAll(async () => {
  database = await createTestDatabase()
  const first = await start()
  await registerOwnTypes(first.url, [ADMIN_KEY, TEST_ADMIN_KEY])
}, 60_000)

afterEach(() => receiver.close())

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')))
  await database.drop()
})

async function start(environment: Record<string, string> = {}): Promise<ServerProcess> {
  const node = await startNode(database.url, {
    RUNBELL_RETRY_SCHEDULE: '100ms,200ms,400ms,1s,1s,1s,1s',
    ...environment,
  })
  nodes.push(node)
  return node
}

async function end(node: ServerProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  nodes = nodes.filter((other) => other !== node)
  return await node.end(signal)
}

/** The nodes that are running, the first ones started before it where they are not enough. */
async function running(count: number): Promise<ServerProcess[]> {
  while (nodes.length < count) await start()
  return nodes.slice(0, count)
}

/** Ends the leases of nodes that have not been heard of for some seconds; living ones renew theirs every five. */
async function endOldLeases(): Promise<void> {
  await database.query(`UPDATE runbell.nodes SET lease_until = clock_timestamp() - interval '1 second'
    WHERE lease_until < clock_timestamp() + interval '80 seconds'`)
}

describe('several nodes on one Postgres', () => {
  test('an endpoint made, narrowed, disabled at one node is so at all others at once, and a key revoked within a second', async () => {
    const [one, two] = (await running(2)) as [ServerProcess, ServerProcess]
    receiver = await startReceiver(() => 204)
    const type = newType()
    const { id } = await createEndpoint(one, receiver.url, type)
    const first = await publish(two, anEvent(type))
    expect(first.deliveries).toBe(1)
    await untilDelivery(one, first.event_id)
    await post(one, `/v1/endpoints/${id}/disable`)
    expect((await publish(two, anEvent(type))).deliveries).toBe(0)
    await post(one, `/v1/endpoints/${id}/enable`)
    expect((await publish(two, anEvent(type))).deliveries).toBe(1)

    const made = await post<{ id: string; key: string }>(one, '/v1/api-keys', { scopes: ['read'] })
    expect((await request(two, 'GET', '/v1/events', { key: made.key })).status).toBe(200)
    await request(one, 'DELETE', `/v1/api-keys/${made.id}`)
    const since = performance.now()
    await until(
      'the key is refused',
      () => request(two, 'GET', '/v1/events', { key: made.key }),
      ({ status }) => status === 401,
    )
    expect(performance.now() - since).toBeLessThan(2500)
  }, 60_000)

  test('publishing the same event at all of them at once makes one event, and runs keep one order', async () => {
    const [one, two, three] = (await running(3)) as [ServerProcess, ServerProcess, ServerProcess]
    receiver = await startReceiver(() => 204)
    const type = newType()
    await createEndpoint(one, receiver.url, type)
    const ids = Array.from({ length: 20 }, (_, index) => `evt_nodes_same_${process.pid}_${index}`)
    const run_id = `run_nodes_${process.pid}`
    const answers = await Promise.all(
      ids.flatMap((event_id) =>
        [one, two, three].map((node) =>
          publish(node, anEvent(type, { event_id, run_id, timestamp: '2026-01-01T00:00:00Z' })),
        ),
      ),
    )
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(20)
    const sequences = answers.filter(({ duplicate }) => !duplicate).map(({ sequence }) => sequence as number)
    expect(sequences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    for (const id of ids) await untilDelivery(two, id, ({ status }) => status === 'delivered')
    expect(receiver.received.map(({ eventId }) => eventId).toSorted()).toEqual(ids.toSorted())
  }, 60_000)

  test('one is killed and one comes and one goes while events are published: nothing acknowledged is lost', async () => {
    const [one, two, three] = (await running(3)) as [ServerProcess, ServerProcess, ServerProcess]
    receiver = await startReceiver((index) => (index % 9 === 4 ? 503 : 204))
    const type = newType()
    await createEndpoint(one, receiver.url, type, { max_in_flight: 20 })
    const acknowledged = new Set<string>()
    const stopping = new AbortController()
    const publishers = [one, two, three, one, two, three].map(async (node) => {
      while (!stopping.signal.aborted) {
        try {
          acknowledged.add((await publish(node, anEvent(type))).event_id)
        } catch {
          // It is gone, or about to be.
          if (!nodes.includes(node)) return
        }
      }
    })
    await receiver.until((received) => received.length > 60)
    await end(three, 'SIGKILL')
    await start()
    await receiver.until((received) => received.length > 160)
    const left = end(two, 'SIGTERM')
    await receiver.until((received) => received.length > 220)
    stopping.abort()
    await Promise.all(publishers)
    expect(await left).toBe(0)
    await until(
      'every acknowledged event has arrived',
      endOldLeases,
      () => {
        const arrived = new Set(receiver.received.map(({ eventId }) => eventId))
        return [...acknowledged].every((id) => arrived.has(id))
      },
      60_000,
    )
    // What the killed one had sent and not put on record has arrived, and is still its own until its lease ends.
    await until(
      'nothing is held by a node that is gone',
      async () => {
        await endOldLeases()
        return database.query('SELECT 1 FROM runbell.queue')
      },
      (held) => held.length === 0,
      60_000,
    )
    for (const id of acknowledged) await untilDelivery(one, id, ({ status }) => status === 'delivered')
    expect(acknowledged.size).toBeGreaterThan(100)
  }, 120_000)

  test('a node stands still with a request under way: at most one more is sent, and its late outcome changes nothing', async () => {
    const [one, two] = (await running(2)) as [ServerProcess, ServerProcess]
    for (const other of nodes.slice(2)) await end(other, 'SIGTERM')
    let answerFirst: (status: number) => void = () => {}
    receiver = await startReceiver((index) =>
      index === 0 ? new Promise<number>((resolve) => (answerFirst = resolve)) : 204,
    )
    const type = newType()
    await createEndpoint(one, receiver.url, type, { timeout_ms: 60_000 })
    const { event_id } = await publish(one, anEvent(type))
    await receiver.until((received) => received.length === 1)
    const { id } = await deliveryOf(two, event_id)
    const [holder] = await database.query(
      `SELECT n.node_id FROM runbell.queue q JOIN runbell.nodes n ON n.ref = q.node`,
    )
    one.child.kill('SIGSTOP')
    try {
      await database.query(
        `UPDATE runbell.nodes SET lease_until = clock_timestamp() - interval '1 second' WHERE node_id = $1`,
        [holder?.['node_id']],
      )
      await untilDelivery(two, event_id, ({ status }) => status === 'delivered')
    } finally {
      one.child.kill('SIGCONT')
    }
    answerFirst(500)
    // Until it has joined anew it says that it cannot take anything.
    const again = anEvent(type, { event_id: newEventId('again') })
    await until(
      'the node that stood still takes events again',
      () => request(one, 'POST', '/v1/events', { body: again }),
      ({ status }) => status === 202,
    )
    await untilDelivery(one, String(again.event_id), ({ status }) => status === 'delivered')
    expect(await deliveryOf(one, event_id)).toMatchObject({ status: 'delivered', attempt_count: 2 })
    const attempts = await attemptsOf(one, id)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unknown', 'delivered'])
    expect(receiver.received.filter(({ eventId }) => eventId === event_id)).toHaveLength(2)
  }, 60_000)

  test('a node of role api takes what one of role worker delivers, which takes nothing itself', async () => {
    for (const node of [...nodes]) await end(node, 'SIGTERM')
    const api = await start({ RUNBELL_ROLES: 'api' })
    const worker = await start({ RUNBELL_ROLES: 'worker' })
    receiver = await startReceiver(() => 204)
    const type = newType()
    await createEndpoint(api, receiver.url, type)
    const { event_id } = await publish(api, anEvent(type))
    await untilDelivery(api, event_id, ({ status }) => status === 'delivered')
    expect((await request(worker, 'GET', '/readyz')).status).toBe(200)
    expect((await request(worker, 'POST', '/v1/events', { body: anEvent(type) })).status).toBe(404)
    expect((await request(worker, 'GET', '/v1/events')).status).toBe(404)
  }, 60_000)
})
