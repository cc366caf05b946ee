import { describe, expect, test } from 'vitest'
import { anEvent, attemptsOf, createEndpoint, eventOf, newType, publish, untilDelivery } from '../support/client.ts'
import type { Receiver } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const TIMEOUT_MS = 1000
/** "within the deadline plus 2 s". */
const MARGIN_MS = 2000

describe(
  'G17: `kill -9` is safe at any instant and needs no manual step. SIGTERM: stop claiming, finish what is in flight, ' +
    'exit 0 within the deadline plus 2 s.',
  () => {
    const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '100ms,100ms,100ms,100ms' })

    /** A receiver that answers nothing until it is opened. */
    async function heldReceiver(): Promise<{ receiver: Receiver; open: () => void }> {
      let open: () => void = () => {}
      const opened = new Promise<number>((resolve) => (open = () => resolve(204)))
      return { receiver: await server.receiver(() => opened), open }
    }

    /** Resolves once the server takes no more requests. */
    async function untilClosed(): Promise<void> {
      const answers = () =>
        fetch(`${server.url}/livez`).then(
          ({ ok }) => ok,
          () => false,
        )
      await until('the server takes no more requests', answers, (answered) => !answered)
    }

    test('SIGTERM: what is in flight is finished and put on record, and the exit code is 0', async () => {
      const { receiver, open } = await heldReceiver()
      const type = newType()
      for (let endpoint = 0; endpoint < 3; endpoint++) await createEndpoint(server, receiver.url, type)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 3)
      const ended = server.process.end('SIGTERM')
      await untilClosed()
      open()
      expect(await ended).toBe(0)

      await server.start()
      expect((await eventOf(server, eventId)).deliveries).toMatchObject({ total: 3, delivered: 3 })
      const { event_id: marker } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length >= 6)
      expect(receiver.received.map((request) => request.eventId)).toEqual([
        ...[eventId, eventId, eventId],
        ...[marker, marker, marker],
      ])
    })

    test('SIGTERM: what has not begun is left as it was, and the next start sends it by itself', async () => {
      const { receiver, open } = await heldReceiver()
      const type = newType()
      await createEndpoint(server, receiver.url, type, { max_in_flight: 1 })
      const published = await Promise.all(Array.from({ length: 6 }, () => publish(server, anEvent(type))))
      await receiver.until((received) => received.length === 1)
      const ended = server.process.end('SIGTERM')
      await untilClosed()
      open()
      expect(await ended).toBe(0)
      expect(receiver.received).toHaveLength(1)

      await server.start()
      await receiver.until((received) => received.length === published.length)
      for (const { event_id: eventId } of published) {
        const { id, status } = await untilDelivery(server, eventId)
        expect(status).toBe('delivered')
        expect(await attemptsOf(server, id)).toMatchObject([{ number: 1, outcome: 'delivered' }])
      }
      expect(receiver.received).toHaveLength(published.length)
    })

    test('SIGTERM: receivers that hang hold it up for their deadline and no longer', async () => {
      let hangs = true
      const receiver = await server.receiver(() => (hangs ? null : 204))
      const type = newType()
      await createEndpoint(server, receiver.url, type, { timeout_ms: TIMEOUT_MS })
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 1)
      const startedAt = performance.now()
      expect(await server.process.end('SIGTERM')).toBe(0)
      expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + MARGIN_MS)

      hangs = false
      await server.start()
      const { id, status } = await untilDelivery(server, eventId)
      expect(status).toBe('delivered')
      expect((await attemptsOf(server, id)).map(({ outcome }) => outcome)).toEqual(['timeout', 'delivered'])
    })

    test('SIGTERM: with nothing to do it is gone at once', async () => {
      const startedAt = performance.now()
      expect(await server.process.end('SIGTERM')).toBe(0)
      expect(performance.now() - startedAt).toBeLessThan(MARGIN_MS)
      await server.start()
    })

    test.each(['SIGTERM', 'SIGKILL'] as const)(
      '%s while events stream in: nothing that was answered 202 is lost',
      async (signal) => {
        const receiver = await server.receiver((index) => (index % 5 === 2 ? 503 : 204))
        const type = newType()
        await createEndpoint(server, receiver.url, type)
        const acknowledged: string[] = []
        const publishers = Array.from({ length: 4 }, async () => {
          for (;;) {
            const accepted = await publish(server, anEvent(type)).catch(() => null)
            if (accepted === null) return
            acknowledged.push(accepted.event_id)
          }
        })
        await receiver.until((received) => received.length >= 30)
        const code = await server.process.end(signal)
        if (signal === 'SIGTERM') expect(code).toBe(0)
        await Promise.all(publishers)

        await server.start()
        const arrived = () => new Set(receiver.received.map(({ eventId }) => eventId))
        await receiver.until(() => {
          const ids = arrived()
          return acknowledged.every((id) => ids.has(id))
        })
        expect(acknowledged.length).toBeGreaterThanOrEqual(20)
      },
    )

    test('SIGKILL with many in flight: the next start goes on by itself, and each is sent again', async () => {
      let hangs = true
      const receiver = await server.receiver(() => (hangs ? null : 204))
      const types = Array.from({ length: 4 }, newType)
      for (const type of types) await createEndpoint(server, receiver.url, type)
      const published = await Promise.all(types.map((type) => publish(server, anEvent(type))))
      await receiver.until((received) => received.length === 4)
      hangs = false
      await server.crash()
      for (const { event_id: eventId } of published) {
        const { id, status } = await untilDelivery(server, eventId)
        expect(status).toBe('delivered')
        expect((await attemptsOf(server, id)).map(({ outcome }) => outcome)).toEqual(['unknown', 'delivered'])
      }
    })
  },
)
