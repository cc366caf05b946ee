import type { BatchAccepted, EventView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, get, newType, post, publish, request, untilDelivery } from '../support/client.ts'
import { expectOrder } from '../support/ordered-runs.ts'
import { TEST_ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const PUBLISHERS = 6
const ROUNDS = 12
const BATCH = 5

const rises = (numbers: number[]) =>
  numbers.every((each, index) => index === 0 || each > (numbers[index - 1] as number))
const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe(
  'G10: No order across events by default; `sequence` lets consumers order (and see gaps, where an endpoint receives ' +
    "every type of the run). Opt-in per endpoint, `ordering: run`: a run's later events wait for its earlier ones to " +
    'end; other runs go on in parallel.',
  () => {
    const server = shareServer()

    /** What the answers to one publisher, one request after the other, say. */
    async function publishRounds(type: string, runId: string, publisher: number): Promise<number[]> {
      const seen: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        if ((round + publisher) % 3 > 0) {
          seen.push((await publish(server, anEvent(type, { run_id: runId }))).sequence as number)
          continue
        }
        const items = Array.from({ length: BATCH }, () => anEvent(type, { run_id: runId }))
        const { results } = await post<BatchAccepted>(server, '/v1/events/batch', items)
        for (const result of results) seen.push(result.status === 'rejected' ? Number.NaN : (result.sequence as number))
      }
      return seen
    }

    test('it rises strictly in each run, over publishers at the same time and batches, without gaps', async () => {
      const type = newType()
      const runs = ['g10-one', 'g10-two']
      const byRun = await Promise.all(
        runs.map((runId) => Promise.all(oneTo(PUBLISHERS).map((publisher) => publishRounds(type, runId, publisher)))),
      )
      for (const publishers of byRun) {
        for (const seen of publishers) expect(rises(seen)).toBe(true)
        const all = publishers.flat().sort((a, b) => a - b)
        expect(all).toEqual(oneTo(all.length))
        expect(all.length).toBe(PUBLISHERS * ((ROUNDS / 3) * 2 + (ROUNDS / 3) * BATCH))
      }
    })

    test('the body that a receiver gets holds the sequence that the publisher was told', async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const told = await Promise.all(oneTo(20).map(() => publish(server, anEvent(type, { run_id: 'g10-told' }))))
      await receiver.until((received) => received.length === 20)
      const got = receiver.received.map(({ eventId, body }) => [
        eventId,
        (JSON.parse(body.toString()) as { sequence: number }).sequence,
      ])
      expect(Object.fromEntries(got)).toEqual(Object.fromEntries(told.map((each) => [each.event_id, each.sequence])))
    })

    test('each run of each tenant and mode begins at 1; an event without a run has none', async () => {
      const type = newType()
      const first = anEvent(type, { run_id: 'g10-scoped' })
      expect(await publish(server, first)).toMatchObject({ sequence: 1 })
      expect(await publish(server, { ...first, tenant_id: 'g10-tenant' })).toMatchObject({ sequence: 1 })
      expect(await publish(server, first, { key: TEST_ADMIN_KEY })).toMatchObject({ sequence: 1 })
      expect(await publish(server, first)).toMatchObject({ sequence: 2 })
      const { event_id: eventId, sequence } = await publish(server, anEvent(type))
      expect(sequence).toBeNull()
      expect(await get(server, `/v1/events/${eventId}`)).not.toHaveProperty('sequence')
    })

    test('what is refused, or repeated, takes no number', async () => {
      const type = newType()
      const event = anEvent(type, { run_id: 'g10-gapless', event_id: 'evt_g10-gapless' })
      expect(await publish(server, event)).toMatchObject({ sequence: 1 })
      expect(await publish(server, event)).toMatchObject({ sequence: 1, duplicate: true })
      expect(await request(server, 'POST', '/v1/events', { body: { ...event, data: { n: 2 } } })).toMatchObject({
        status: 409,
      })
      expect(await request(server, 'POST', '/v1/events', { body: { ...event, data: 2 } })).toMatchObject({
        status: 422,
      })
      expect(await publish(server, anEvent(type, { run_id: 'g10-gapless' }))).toMatchObject({ sequence: 2 })
    })

    test('it goes on after kill -9', async () => {
      const type = newType()
      const event = anEvent(type, { run_id: 'g10-crash' })
      await publish(server, event)
      expect(await publish(server, event)).toMatchObject({ sequence: 2 })
      await server.crash()
      expect(await publish(server, event)).toMatchObject({ sequence: 3 })
      const { data } = await get<Page<EventView>>(server, `/v1/events?type=${type}`)
      expect(data.map(({ sequence }) => sequence)).toEqual([3, 2, 1])
    })

    test('by default a failing event holds up no later one of its run', async () => {
      const type = newType()
      let failing = ''
      const receiver = await server.receiver((_index, { eventId }) => {
        failing ||= eventId
        return eventId === failing ? 500 : 204
      })
      await createEndpoint(server, receiver.url, type, { retry_schedule: [60_000] })
      const { event_id: first } = await publish(server, anEvent(type, { run_id: 'g10-unordered' }))
      await receiver.until((received) => received.length === 1)
      const { event_id: second } = await publish(server, anEvent(type, { run_id: 'g10-unordered' }))
      expect(await untilDelivery(server, second)).toMatchObject({ status: 'delivered' })
      expect(failing).toBe(first)
    })

    test('`ordering: run` keeps each run in order through failures and a crash; runs do not wait for each other', async () => {
      await expectOrder(
        () => [server],
        () => server.crash(),
      )
    }, 180_000)
  },
)
