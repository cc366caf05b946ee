import type { AttemptView } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import { anEvent, attemptsOf, createEndpoint, newType, publish, replay, untilDelivery } from '../support/client.ts'
import type { Reply } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'

/** Two retries soon after the first attempt: at most three requests. */
const TWO_RETRIES = [100, 100]

describe(
  'G8: The attempt is on record before its first byte leaves (details.md 2). After a crash it shows as `unknown` and ' +
    'counts towards the cap; a delivery never causes more requests than its cap.',
  () => {
    const server = shareServer()

    const outcomesOf = async (deliveryId: string) =>
      (await attemptsOf(server, deliveryId)).map(({ outcome }) => outcome)

    test('a receiver that looks finds the attempt it is just getting, in flight', async () => {
      const seen: AttemptView[][] = []
      const receiver = await server.receiver(async (index, { headers }) => {
        seen.push(await attemptsOf(server, String(headers['runbell-delivery-id'])))
        return index < 2 ? 500 : 204
      })
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: TWO_RETRIES })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const { id } = await untilDelivery(server, eventId)
      const states = seen.map((attempts) => attempts.map(({ number, outcome }) => [number, outcome]))
      expect(states).toEqual([
        [[1, null]],
        [
          [1, 'http_error'],
          [2, null],
        ],
        [
          [1, 'http_error'],
          [2, 'http_error'],
          [3, null],
        ],
      ])
      expect(await outcomesOf(id)).toEqual(['http_error', 'http_error', 'delivered'])
    })

    test('so it is under load, for deliveries granted at acceptance and those claimed later', async () => {
      const missing: string[] = []
      const receiver = await server.receiver(async (_index, { headers }) => {
        const id = String(headers['runbell-delivery-id'])
        const numbers = (await attemptsOf(server, id)).map(({ number }) => String(number))
        if (!numbers.includes(String(headers['runbell-attempt']))) missing.push(id)
        return 204
      })
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      await Promise.all(Array.from({ length: 60 }, () => publish(server, anEvent(type))))
      await receiver.until((received) => received.length === 60)
      expect(missing).toEqual([])
    })

    /** A delivery whose first attempt fails; the server is killed while the receiver holds its second. */
    async function killedInSecondAttempt(schedule: number[], afterwards: Reply) {
      const receiver = await server.receiver((index) => [500, null][index] ?? (index === 1 ? null : afterwards))
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: schedule })
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 2)
      await server.crash()
      const delivery = await untilDelivery(server, eventId)
      return { receiver, type, delivery }
    }

    test('an attempt cut off by kill -9 shows as unknown and counts: three requests where three are allowed', async () => {
      const { receiver, type, delivery } = await killedInSecondAttempt(TWO_RETRIES, 500)
      expect(delivery).toMatchObject({ status: 'dead_lettered', reason: 'attempts_exhausted', attempt_count: 3 })
      expect(await outcomesOf(delivery.id)).toEqual(['http_error', 'unknown', 'http_error'])
      const [, cut] = await attemptsOf(server, delivery.id)
      expect(cut).toMatchObject({
        number: 2,
        duration_ms: null,
        status_code: null,
        diagnosis: { title: expect.any(String) },
      })
      const { event_id: marker } = await publish(server, anEvent(type))
      await receiver.until((received) => received.some(({ eventId }) => eventId === marker))
      expect(receiver.received.filter(({ eventId }) => eventId === delivery.event_id)).toHaveLength(3)
    })

    test('where the last attempt is the one cut off, there is no further one', async () => {
      const { receiver, type, delivery } = await killedInSecondAttempt([100], 204)
      expect(delivery).toMatchObject({ status: 'dead_lettered', reason: 'attempts_exhausted', attempt_count: 2 })
      expect(await outcomesOf(delivery.id)).toEqual(['http_error', 'unknown'])
      const { event_id: marker } = await publish(server, anEvent(type))
      await untilDelivery(server, marker)
      expect(receiver.received.map(({ eventId }) => eventId)).toEqual([delivery.event_id, delivery.event_id, marker])
    })

    test('one that may never have been sent at all is not dead-lettered by the cap', async () => {
      const receiver = await server.receiver((index) => (index === 0 ? null : 204))
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: [] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 1)
      await server.crash()
      const { id, status } = await untilDelivery(server, eventId)
      expect(status).toBe('delivered')
      expect(await outcomesOf(id)).toEqual(['unknown', 'delivered'])
    })

    test('the cap holds for each replay anew, and attempt numbers go on', async () => {
      const receiver = await server.receiver(() => 503)
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: TWO_RETRIES })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const { id } = await untilDelivery(server, eventId)
      for (const requests of [6, 9]) {
        await replay(server, eventId)
        await receiver.until((received) => received.length >= requests)
        await untilDelivery(server, eventId)
        expect(receiver.received).toHaveLength(requests)
      }
      const attempts = await attemptsOf(server, id)
      expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
      const manual = attempts.filter(({ trigger }) => trigger === 'manual').map(({ number }) => number)
      expect(manual).toEqual([4, 7])
    })
  },
)
