import type { Accepted, DeliveryView, Page } from '@runbell/sdk/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveryOf,
  get,
  newEventId,
  newType,
  publish,
  replay,
  untilDelivery,
} from '../support/client.ts'
import type { Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'

describe('G19: Content that crashes the process is found and quarantined after 3 crashes (details.md 3); everything else goes on.', () => {
  const server = shareServer()
  const poison = newEventId('poison')
  let harmless = false
  let receiver: Receiver
  let type: string
  const others: Accepted[] = []

  const poisoned = () => receiver.received.filter(({ eventId }) => eventId === poison)

  /** What a parser that dies of this content would do: the process ends while the delivery is in flight, alone. */
  async function crashInAttempt(number: number): Promise<void> {
    await receiver.until(() => poisoned().length >= number)
    await server.process.end('SIGKILL')
    await server.start()
  }

  beforeAll(async () => {
    receiver = await server.receiver((_index, { eventId }) => (eventId === poison && !harmless ? null : 204))
    type = newType()
    await createEndpoint(server, receiver.url, type, { retry_schedule: [100, 100, 100, 100, 100, 100] })
    await publish(server, anEvent(type, { event_id: poison }))
    for (const number of [1, 2, 3]) {
      await crashInAttempt(number)
      if (number < 3) expect(await deliveryOf(server, poison)).toMatchObject({ status: 'pending' })
      const more = await Promise.all([publish(server, anEvent(type)), publish(server, anEvent(type))])
      // The next crash is to find the poison alone in flight.
      for (const { event_id: eventId } of more) await untilDelivery(server, eventId)
      others.push(...more)
    }
  }, 60_000)

  test('after three crashes alone in flight it is dead-lettered as quarantined, well before its cap', async () => {
    const delivery = await untilDelivery(server, poison)
    expect(delivery).toMatchObject({ status: 'dead_lettered', reason: 'quarantined', attempt_count: 3 })
    const attempts = await attemptsOf(server, delivery.id)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown'])
    const { data } = await get<Page<DeliveryView>>(server, `/v1/dead-letters?type=${type}`)
    expect(data.map(({ event_id }) => event_id)).toEqual([poison])
  })

  test('everything else is delivered', async () => {
    expect(others).toHaveLength(6)
    for (const { event_id: eventId } of others) {
      expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered' })
    }
  })

  test('it is not sent again by itself, not even after a restart', async () => {
    await server.crash()
    const { event_id: marker } = await publish(server, anEvent(type))
    await untilDelivery(server, marker)
    expect(poisoned()).toHaveLength(3)
    expect(await deliveryOf(server, poison)).toMatchObject({ status: 'dead_lettered', reason: 'quarantined' })
  })

  test('it can be replayed once what crashed is mended', async () => {
    harmless = true
    await replay(server, poison)
    const delivery = await untilDelivery(server, poison)
    expect(delivery).toMatchObject({ status: 'delivered', reason: null, attempt_count: 4 })
    expect(poisoned()).toHaveLength(4)
    expect((await attemptsOf(server, delivery.id)).at(-1)).toMatchObject({ trigger: 'manual', outcome: 'delivered' })
  })

  test('two crashes and an answer are no quarantine: it counts anew', async () => {
    const eventId = newEventId('slow')
    let hang = true
    const slow = await server.receiver(() => (hang ? null : 500))
    const slowType = newType()
    await createEndpoint(server, slow.url, slowType, { retry_schedule: [100, 100, 100, 100] })
    await publish(server, anEvent(slowType, { event_id: eventId }))
    for (const count of [1, 2]) {
      await slow.until((received) => received.length >= count)
      if (count === 2) hang = false
      await server.crash()
    }
    const { id, reason } = await untilDelivery(server, eventId)
    expect(reason).toBe('attempts_exhausted')
    const outcomes = (await attemptsOf(server, id)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['unknown', 'unknown', 'http_error', 'http_error', 'http_error'])
  })
})
