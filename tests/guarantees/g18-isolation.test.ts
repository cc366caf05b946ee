import { describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, get, newType, publish, untilDelivery } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

interface Stats {
  circuit_state: string
  in_flight: number
  queue_depth: number
  slow: boolean
  success_rate: number | null
  latency_ms: { p50: number } | null
  oldest_pending_at: string | null
}

const SLOTS = 20
const HANGING = 30

describe(
  'G18: One endpoint uses at most its own concurrency; a hanging endpoint does not raise another tenant’s p99. After repeated failure the ' +
    'circuit opens.',
  () => {
    const server = shareServer({ RUNBELL_LIMIT_IN_FLIGHT: String(SLOTS), RUNBELL_ATTEMPT_TIMEOUT: '60s' })

    test('more endpoints hang than there are slots, and everybody else is served as if they were not there', async () => {
      const silent = await server.receiver(() => null)
      const hanging = newType()
      const ids: string[] = []
      for (let count = 0; count < HANGING; count++) {
        ids.push((await createEndpoint(server, silent.url, hanging, { max_in_flight: 2 })).id)
      }
      for (let count = 0; count < 4; count++) await publish(server, anEvent(hanging))
      // Far more than fit, each for longer than this test.
      await silent.until((received) => received.length >= SLOTS)

      const quick = await server.receiver(() => 204)
      const type = newType()
      const { id } = await createEndpoint(server, quick.url, type)
      for (let count = 0; count < 20; count++) {
        const { event_id: eventId } = await publish(server, anEvent(type))
        expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered', attempt_count: 1 })
      }
      const statsOf = (endpoint: string) => get<Stats>(server, `/v1/endpoints/${endpoint}/stats`)
      expect(await statsOf(id)).toMatchObject({
        ...{ circuit_state: 'closed', queue_depth: 0, slow: false, success_rate: 1, oldest_pending_at: null },
        latency_ms: { p50: expect.any(Number) },
      })
      const [first = ''] = ids
      const stuck = await until(
        'it is known to be slow',
        () => statsOf(first),
        ({ slow }) => slow,
      )
      expect(stuck).toMatchObject({ success_rate: null, latency_ms: null, oldest_pending_at: expect.any(String) })
      for (const each of ids) expect((await statsOf(each)).in_flight).toBeLessThanOrEqual(2)
      expect(silent.received.length).toBeLessThanOrEqual(SLOTS * 4)
      await server.process.end('SIGKILL')
      await server.start()
    })
  },
)
