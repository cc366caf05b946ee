import type { DeliveryView, EndpointView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  deliveryOf,
  eventOf,
  get,
  newType,
  post,
  publish,
  replay,
  request,
  untilDelivery,
  type CreatedEndpoint,
} from '../support/client.ts'
import type { Receiver, Reply } from '../support/receiver.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

/** The first attempt has failed and the second waits: before the first, a delivery has a `next_attempt_at` as well. */
const retryPlanned = (delivery: DeliveryView) => delivery.next_attempt_at !== null && delivery.attempt_count === 1

const soon = (ms: number) => new Date(Date.now() + ms).toISOString()

describe(
  'G6: Each delivery ends in exactly one of `delivered`, `dead_lettered`, `cancelled`, `expired`, with a reason; nothing ' +
    'ends silently.',
  () => {
    const server = shareServer()

    interface Scene {
      receiver: Receiver
      type: string
      endpoint: CreatedEndpoint
    }

    async function scene(reply: (index: number) => Reply, settings: Record<string, unknown> = {}): Promise<Scene> {
      const receiver = await server.receiver(reply)
      const type = newType()
      return { receiver, type, endpoint: await createEndpoint(server, receiver.url, type, settings) }
    }

    /** It ended, the event counts it once under its end, and nothing is planned any more. */
    async function expectEnd(eventId: string, status: DeliveryView['status'], reason: string | null): Promise<void> {
      const delivery = await untilDelivery(server, eventId)
      expect(delivery).toMatchObject({ status, reason, next_attempt_at: null })
      const none = { delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }
      expect((await eventOf(server, eventId)).deliveries).toEqual({ ...none, total: 1, [status]: 1 })
      const { data } = await get<Page<DeliveryView>>(
        server,
        `/v1/deliveries?type=${delivery.event_type}&status=${status}`,
      )
      expect(data.map(({ event_id }) => event_id)).toContain(eventId)
    }

    test.concurrent('delivered: the receiver took it', async () => {
      const { type, receiver } = await scene(() => 200)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await expectEnd(eventId, 'delivered', null)
      expect(receiver.received).toHaveLength(1)
    })

    test.concurrent('dead_lettered, attempts_exhausted: the retries are used up', async () => {
      const { type, receiver } = await scene(() => 500)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await expectEnd(eventId, 'dead_lettered', 'attempts_exhausted')
      expect(receiver.received).toHaveLength(3)
      const { data } = await get<Page<DeliveryView>>(server, `/v1/dead-letters?type=${type}`)
      expect(data).toMatchObject([{ event_id: eventId, error_code: 'http_error' }])
    })

    test.concurrent('dead_lettered, gone: the receiver answered 410, and its endpoint is disabled', async () => {
      const { type, receiver, endpoint } = await scene(() => 410)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await expectEnd(eventId, 'dead_lettered', 'gone')
      expect(receiver.received).toHaveLength(1)
      const { status, disabled_reason } = await get<EndpointView>(server, `/v1/endpoints/${endpoint.id}`)
      expect({ status, disabled_reason }).toEqual({ status: 'disabled', disabled_reason: 'gone' })
      expect(await publish(server, anEvent(type))).toMatchObject({ deliveries: 0 })
    })

    test.concurrent('cancelled, requested: somebody said so while it waited', async () => {
      const { type, receiver } = await scene(() => 500, { retry_schedule: [60_000] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const { id } = await untilDelivery(server, eventId, retryPlanned)
      await post(server, `/v1/deliveries/${id}/cancel`)
      await expectEnd(eventId, 'cancelled', 'requested')
      expect(receiver.received).toHaveLength(1)
    })

    test.concurrent('cancelled, requested: an attempt in flight is not cut off, and does not undo the end', async () => {
      let answer: (status: number) => void = () => {}
      const receiver = await server.receiver(() => new Promise<number>((resolve) => (answer = resolve)))
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const { event_id: eventId } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 1)
      const { id } = await deliveryOf(server, eventId)
      await post(server, `/v1/deliveries/${id}/cancel`)
      answer(500)
      await until(
        'the attempt has an outcome',
        () => attemptsOf(server, id),
        ([first]) => first?.outcome != null,
      )
      await expectEnd(eventId, 'cancelled', 'requested')
      expect(await attemptsOf(server, id)).toMatchObject([{ number: 1, outcome: 'http_error', status_code: 500 }])
    })

    test.concurrent('cancelled, endpoint_deleted: its endpoint is gone', async () => {
      const { type, receiver, endpoint } = await scene(() => 500, { retry_schedule: [60_000] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      await untilDelivery(server, eventId, retryPlanned)
      await request(server, 'DELETE', `/v1/endpoints/${endpoint.id}`)
      await expectEnd(eventId, 'cancelled', 'endpoint_deleted')
      expect(receiver.received).toHaveLength(1)
    })

    test.concurrent('expired, deadline_passed: held until after its expires_at', async () => {
      const { type, receiver, endpoint } = await scene(() => 204)
      await post(server, `/v1/endpoints/${endpoint.id}/pause`)
      const { event_id: eventId } = await publish(server, anEvent(type, { expires_at: soon(300) }))
      await expectEnd(eventId, 'expired', 'deadline_passed')
      await post(server, `/v1/endpoints/${endpoint.id}/resume`)
      const { event_id: later } = await publish(server, anEvent(type))
      await untilDelivery(server, later)
      expect(receiver.received.map((received) => received.eventId)).toEqual([later])
    })

    test.concurrent('expired, deadline_passed: a retry that would come after expires_at never starts', async () => {
      const { type, receiver } = await scene(() => 500, { retry_schedule: [60_000] })
      const { event_id: eventId } = await publish(server, anEvent(type, { expires_at: soon(1000) }))
      await expectEnd(eventId, 'expired', 'deadline_passed')
      expect(receiver.received).toHaveLength(1)
    })

    test.concurrent('expired, deadline_passed: a request for approval that nobody can answer any more', async () => {
      const receiver = await server.receiver(() => 204)
      const tenant = { tenant_id: 'g6-approvals' }
      const { id } = await createEndpoint(server, receiver.url, 'agent.approval.requested', tenant)
      await post(server, `/v1/endpoints/${id}/pause`)
      const approval = {
        ...{ approval_id: 'appr_1', status: 'pending', kind: 'confirmation', summary: 'Refund 40 EUR?' },
        ...{ summary_source: 'template', options: ['approve', 'deny'], expires_at: soon(300) },
      }
      const event = anEvent('agent.approval.requested', { ...tenant, run_id: 'g6', data: approval })
      const { event_id: eventId } = await publish(server, event)
      await expectEnd(eventId, 'expired', 'deadline_passed')
      expect(receiver.received).toHaveLength(0)
    })

    test.concurrent('a replay opens a delivery again, and it ends again, once', async () => {
      const { type, receiver } = await scene((index) => (index < 3 ? 500 : 204))
      const { event_id: eventId } = await publish(server, anEvent(type))
      await expectEnd(eventId, 'dead_lettered', 'attempts_exhausted')
      await replay(server, eventId)
      await expectEnd(eventId, 'delivered', null)
      const attempts = await attemptsOf(server, (await deliveryOf(server, eventId)).id)
      expect(attempts.map(({ number, trigger }) => [number, trigger])).toEqual([
        [1, 'scheduled'],
        [2, 'scheduled'],
        [3, 'scheduled'],
        [4, 'manual'],
      ])
      expect(receiver.received).toHaveLength(4)
    })
  },
)
