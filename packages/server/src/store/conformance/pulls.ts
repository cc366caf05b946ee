import { describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { acceptItem, LIVE, MINUTE, T0, target, text, expectedBody } from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

const NOW = T0 + MINUTE

export function pullTests(suite: StoreSuite): void {
  const endpoint = async () => (await suite.endpoint({ kind: 'pull', url: null })).id
  const pull = (endpointId: string, more: Partial<Parameters<Store['pullDeliveries']>[0]> = {}) =>
    suite.store.pullDeliveries({ endpointId, now: NOW, limit: 10, maxBytes: 1_000_000, ...more })
  const ids = async (endpointId: string, limit = 10) =>
    (await pull(endpointId, { limit })).rows.map((row) => row.deliveryId)
  const commit = (endpointId: string, place: number | null) =>
    suite.store.commitPulled({ endpointId, place: place as number, now: NOW })
  const several = async (endpointId: string, count: number, item = {}): Promise<OneDelivery[]> => {
    const made: OneDelivery[] = []
    for (let index = 0; index < count; index++) made.push(await suite.delivery({ endpointId, item }))
    return made
  }
  const replay = ({ event, deliveryId }: OneDelivery) =>
    suite.store.replayDeliveries({
      ...{
        eventPosition: event.position,
        target: { kind: 'delivery', deliveryId },
        newDeliveryId: 'dlv_new',
        now: NOW,
      },
    })

  line()
  rest()

  function line(): void {
    describe('pulls: the line', () => {
      it('is fetched in the order of commits with exact bytes, again and again until it is committed', async () => {
        const endpointId = await endpoint()
        const made = await several(endpointId, 3)
        const { rows, place } = await pull(endpointId, { limit: 2 })
        expect(rows.map((row) => [row.deliveryId, row.number])).toEqual(
          made.slice(0, 2).map((one) => [one.deliveryId, 1]),
        )
        const { item, event } = made[0] as OneDelivery
        expect(text(rows[0]?.body ?? null)).toBe(text(expectedBody(item, T0, event.sequence)))
        expect(await ids(endpointId, 2)).toEqual(made.slice(0, 2).map((one) => one.deliveryId))
        expect(await commit(endpointId, place)).toBe(2)
        expect(await ids(endpointId)).toEqual([made[2]?.deliveryId])
        const { deliveryId } = made[0] as OneDelivery
        expect(await suite.row(deliveryId)).toMatchObject({
          status: 'delivered',
          reason: null,
          attemptCount: 1,
          updatedAt: NOW,
        })
        const [attempt] = await suite.attempts(deliveryId)
        expect(attempt).toMatchObject({
          number: 1,
          trigger: 'scheduled',
          outcome: 'delivered',
          startedAt: NOW,
          statusCode: null,
        })
      })

      it('does not depend on clocks: what was accepted later comes later, whatever time it says', async () => {
        const endpointId = await endpoint()
        const first = await suite.delivery({ endpointId, at: T0 + 500 })
        const second = await suite.delivery({ endpointId, at: T0 })
        expect(await ids(endpointId)).toEqual([first.deliveryId, second.deliveryId])
        expect((await suite.row(first.deliveryId)).nextAttemptAt).toBeNull()
      })

      it('commits nothing twice, nothing behind the place, and nothing of another endpoint or kind', async () => {
        const [endpointId, other] = [await endpoint(), await endpoint()]
        await several(endpointId, 2)
        await several(other, 1)
        const http = await suite.delivery()
        const { place } = await pull(endpointId)
        const [late] = await several(endpointId, 1)
        expect(await commit(endpointId, place)).toBe(2)
        expect(await commit(endpointId, place)).toBe(0)
        expect(await commit(http.endpointId, Number.MAX_SAFE_INTEGER)).toBe(0)
        expect(await commit('ep_nobody', place)).toBe(0)
        expect(await ids(endpointId)).toEqual([late?.deliveryId])
        expect(await ids(other)).toHaveLength(1)
        expect(await suite.row(http.deliveryId)).toMatchObject({ status: 'pending' })
      })

      it('has a replayed delivery at its end: a place from before the replay does not commit it', async () => {
        const endpointId = await endpoint()
        const [first, second] = (await several(endpointId, 2)) as [OneDelivery, OneDelivery]
        const { place } = await pull(endpointId)
        await commit(endpointId, place)
        await several(endpointId, 1)
        const before = await pull(endpointId)
        await replay(second)
        await replay(first)
        const [last] = await several(endpointId, 1)
        expect((await ids(endpointId)).slice(1)).toEqual([second.deliveryId, first.deliveryId, last?.deliveryId])
        expect(await commit(endpointId, before.place)).toBe(1)
        expect(await commit(endpointId, place)).toBe(0)
        const again = await pull(endpointId)
        expect(again.rows.map(({ number }) => number)).toEqual([2, 2, 1])
        expect(await commit(endpointId, again.place)).toBe(3)
        expect(await suite.attempts(first.deliveryId)).toMatchObject([{ trigger: 'scheduled' }, { trigger: 'manual' }])
      })

      it('has what an endpoint gets later at its end too', async () => {
        const older = await suite.acceptOne(acceptItem({ runId: 'run-older' }))
        const endpointId = await endpoint()
        const [first] = await several(endpointId, 1)
        const { place } = await pull(endpointId)
        await suite.store.replayDeliveries({
          ...{
            eventPosition: older.position,
            target: { kind: 'endpoint', endpointId },
            newDeliveryId: 'dlv_later',
            now: NOW,
          },
        })
        expect(await ids(endpointId)).toEqual([first?.deliveryId, 'dlv_later'])
        expect(await commit(endpointId, place)).toBe(1)
        expect(await ids(endpointId)).toEqual(['dlv_later'])
      })

      it('gives no more bytes than asked for, and always one', async () => {
        const endpointId = await endpoint()
        const [first] = (await several(endpointId, 3)) as [OneDelivery]
        const size = expectedBody(first.item, T0, first.event.sequence).length
        expect((await pull(endpointId, { maxBytes: 1 })).rows).toHaveLength(1)
        expect((await pull(endpointId, { maxBytes: size * 2 })).rows).toHaveLength(2)
        expect((await pull(endpointId, { maxBytes: size * 9 })).rows).toHaveLength(3)
      })
    })
  }

  function rest(): void {
    describe('pulls: everything else', () => {
      it('are never found due, never claimed', async () => {
        const endpointId = await endpoint()
        await several(endpointId, 1)
        expect(await suite.dueEndpoints()).toEqual([])
        expect(await suite.claim(FIRST_NODE, endpointId, { now: NOW })).toEqual([])
        expect(await ids(endpointId)).toHaveLength(1)
      })

      it('leave out what is past its deadline, which then expires, and do not commit it', async () => {
        const endpointId = await endpoint()
        const [late] = (await several(endpointId, 1, { deadline: NOW })) as [OneDelivery]
        const [kept] = await several(endpointId, 1, { deadline: NOW + 1 })
        expect(await ids(endpointId)).toEqual([kept?.deliveryId])
        expect(await suite.store.expireDeliveries({ now: NOW, limit: 10 })).toBe(1)
        const { place } = await pull(endpointId)
        expect(await commit(endpointId, place)).toBe(1)
        expect(await suite.row(late.deliveryId)).toMatchObject({ status: 'expired', reason: 'deadline_passed' })
      })

      it('leave out what was erased or cancelled since, and what may not be sent any more', async () => {
        const endpointId = await endpoint()
        await suite.grant(endpointId, ['public', 'summary', 'prompt'])
        const [erased, cancelled] = (await several(endpointId, 2)) as [OneDelivery, OneDelivery]
        const beyond = await suite.delivery({ endpointId, item: { classes: 16 } })
        const { place } = await pull(endpointId)
        await suite.store.eraseEvent({ eventPosition: erased.event.position, now: NOW })
        await suite.store.cancelDelivery({ scope: LIVE, deliveryId: cancelled.deliveryId, now: NOW })
        await suite.grant(endpointId, ['public', 'summary'])
        expect(await ids(endpointId)).toEqual([])
        expect(await commit(endpointId, place)).toBe(0)
        const reasons = await Promise.all(
          [erased, cancelled, beyond].map(async (one) => (await suite.row(one.deliveryId)).reason),
        )
        expect(reasons).toEqual(['erased', 'requested', 'policy_changed'])
      })

      it('end as not pulled once their event is kept no longer', async () => {
        const endpointId = await endpoint()
        const [one] = (await several(endpointId, 1)) as [OneDelivery]
        await suite.store.prune({ what: 'payloads', mode: 'live', before: NOW, now: NOW, limit: 100, again: null })
        expect(await suite.row(one.deliveryId)).toMatchObject({ status: 'expired', reason: 'not_pulled' })
        expect(await ids(endpointId)).toEqual([])
      })

      it('are cancelled with their endpoint', async () => {
        const endpointId = await endpoint()
        const [one] = (await several(endpointId, 1)) as [OneDelivery]
        await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: NOW })
        await suite.store.cancelHeld({ now: NOW, disabledBefore: 0, limit: 10 })
        expect(await suite.row(one.deliveryId)).toMatchObject({ status: 'cancelled', reason: 'endpoint_deleted' })
      })

      it('of two that commit the same at once one gets it: each delivery has one attempt', async () => {
        const endpointId = await endpoint()
        const made = await several(endpointId, 5)
        const { place } = await pull(endpointId)
        const counts = await Promise.all([
          commit(endpointId, place),
          commit(endpointId, place),
          commit(endpointId, place),
        ])
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5)
        for (const { deliveryId } of made) expect(await suite.attempts(deliveryId)).toHaveLength(1)
      })

      it('skip nothing that is accepted while they are fetched and committed', async () => {
        const endpointId = await endpoint()
        const seen: string[] = []
        const expected: string[] = []
        const publishers = { open: 5 }
        const publish = async (nth: number) => {
          for (let index = 0; index < 10; index++) {
            const to = target(endpointId)
            expected.push(to.deliveryId)
            await suite.acceptOne(acceptItem({ runId: `run-${nth}`, targets: [to] }))
          }
          publishers.open -= 1
        }
        const publishing = Promise.all(Array.from({ length: publishers.open }, (_, nth) => publish(nth)))
        for (let goesOn = true; goesOn;) {
          // Who publishes the last of them after this look is seen by the next round.
          goesOn = publishers.open > 0
          const { rows, place } = await pull(endpointId, { limit: 3 })
          seen.push(...rows.map((row) => row.deliveryId))
          const committed = place === null ? 0 : await commit(endpointId, place)
          expect(committed).toBe(rows.length)
          goesOn ||= committed > 0
        }
        await publishing
        expect(seen.toSorted()).toEqual(expected.toSorted())
      })
    })
  }
}
