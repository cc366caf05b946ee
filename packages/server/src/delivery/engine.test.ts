import { describe, expect, it } from 'vitest'
import { endpointRow, acceptItem, newId, LIVE } from '../store/conformance/builders.ts'
import { MemoryStore } from '../store/memory/memory-store.ts'
import type { StoreHooks } from '../store/memory/state.ts'
import { openPlain } from '../../test/plain-vault.ts'
import type { EndpointRow } from '../store/rows.ts'
import type { AttemptOutcome, AttemptRequest } from '../core/attempt-outcome.ts'
import { FakeClock, fakeRandom, gate, settled, type Gate } from '../../test/fake-clock.ts'
import { response } from '../../test/runner-world.ts'
import { createEngine } from './engine.ts'
import type { AttemptLine } from './run-delivery.ts'

const DAY = 86_400_000

/** An engine on a store in memory; the test answers the requests, or says what each is answered with. */
function setUp(answer?: (request: AttemptRequest) => AttemptOutcome) {
  const clock = new FakeClock()
  const hooks: StoreHooks = {}
  const store = new MemoryStore({ clock: () => clock.monotonic(), hooks })
  const requests: (Gate<AttemptOutcome> & { request: AttemptRequest })[] = []
  const errors: unknown[] = []
  const lines: AttemptLine[] = []
  const engine = createEngine({
    open: openPlain,
    ...{ store, clock, random: fakeRandom(0.5), nodeId: 'node-a', userAgent: 'Runbell/0', sign: () => 'v1,x' },
    transport: {
      send(request) {
        const held = { ...gate<AttemptOutcome>(), request }
        requests.push(held)
        if (answer !== undefined) held.open(answer(request))
        return held.promise
      },
      close: async () => {},
    },
    onAttempt: (line) => lines.push(line),
    onError: (error) => errors.push(error),
  })
  const addEndpoint = async (input: Partial<EndpointRow> = {}) => {
    const endpoint = endpointRow(input)
    await store.createEndpoint({ endpoint, maxPerTenant: 100 })
    return endpoint.id
  }
  const publish = async (endpointId: string, input: Parameters<typeof acceptItem>[0] = {}) => {
    const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
    const targets = [{ endpointId, deliveryId: newId('delivery'), grant: false, body: -1 }]
    const items = [acceptItem({ ...input, targets, configVersion })]
    await store.acceptEvents({ nodeId: 'node-a', recordedAt: clock.now(), runEventBudget: 1000, items })
    engine.wake({ endpointIds: [endpointId] })
    await settled()
  }
  const statuses = () => store.snapshot().deliveries.map(({ status, reason }) => reason ?? status)
  return { clock, hooks, store, engine, requests, errors, lines, addEndpoint, publish, statuses }
}

describe('the engine', () => {
  it('sends what is published, and records it', async () => {
    const { engine, addEndpoint, publish, requests, statuses, lines } = setUp(() => response(204))
    await engine.start()
    await publish(await addEndpoint())
    expect(requests).toHaveLength(1)
    expect(statuses()).toEqual(['delivered'])
    expect(lines).toMatchObject([{ outcome: 'delivered', number: 1 }])
    await engine.stop()
  })

  it('makes the attempts of the schedule, at its times and with the same bytes, and no more', async () => {
    const { engine, addEndpoint, publish, requests, statuses, clock } = setUp(() => response(500))
    await engine.start()
    await publish(await addEndpoint({ retrySchedule: [5000, 60_000] }))
    const at: number[] = []
    for (let second = 0; second < 200; second++) {
      while (at.length < requests.length) at.push(second)
      await clock.advance(1000)
    }
    expect(at).toEqual([0, 5, 65])
    expect(statuses()).toEqual(['attempts_exhausted'])
    const bodies = requests.map(({ request }) => Buffer.from(request.body).toString())
    expect(new Set(bodies).size).toBe(1)
    await engine.stop()
  })

  it('finds what nobody announced within its polling interval', async () => {
    const { engine, addEndpoint, publish, requests, clock } = setUp(() => response(200))
    const id = await addEndpoint()
    await publish(id)
    expect(requests).toEqual([])
    await engine.start()
    await clock.advance(5000)
    expect(requests).toHaveLength(1)
    await engine.stop()
  })

  it('takes over what a dead node had in flight', async () => {
    const { engine, addEndpoint, publish, requests, clock, store, statuses } = setUp(() => response(200))
    const id = await addEndpoint()
    await publish(id)
    await store.joinNode({ nodeId: 'node-b', leaseMs: 10 })
    await store.claimDue({ nodeId: 'node-b', now: clock.now(), requests: [{ endpointId: id, limit: 1 }] })
    await clock.advance(10)
    await engine.start()
    await clock.advance(3000)
    expect(requests).toHaveLength(1)
    const attempts = store.snapshot().attempts.map(({ number, outcome }) => [number, outcome])
    expect(attempts).toEqual([
      [1, 'unknown'],
      [2, 'delivered'],
    ])
    expect(statuses()).toEqual(['delivered'])
    await engine.stop()
  })

  it('uses up no attempt by a fault of its own, however often', async () => {
    let faults = 20
    const own: AttemptOutcome = { kind: 'not_sent', fault: 'no_resolver', detail: '' }
    const { engine, addEndpoint, publish, store, clock, statuses } = setUp(() => (faults-- > 0 ? own : response(200)))
    await engine.start()
    await publish(await addEndpoint({ retrySchedule: [] }))
    await clock.advance(120_000)
    expect(statuses()).toEqual(['delivered'])
    expect(store.snapshot().attempts.map(({ number }) => number)).toEqual([1])
    await engine.stop()
  })
})

describe('deadlines and endpoints', () => {
  it('expires a delivery at its deadline, also while it waits for a retry', async () => {
    const { engine, addEndpoint, publish, requests, statuses, clock } = setUp(() => response(500))
    await engine.start()
    await publish(await addEndpoint(), { deadline: clock.now() + 3000 })
    expect(requests).toHaveLength(1)
    await clock.advance(5000)
    expect(statuses()).toEqual(['deadline_passed'])
    await clock.advance(DAY)
    expect(requests).toHaveLength(1)
    await engine.stop()
  })

  it('disables an endpoint that says it is gone; what waits for it is cancelled after seven days', async () => {
    const { engine, addEndpoint, publish, store, statuses, clock, requests } = setUp(() => response(410))
    await engine.start()
    const id = await addEndpoint()
    await publish(id)
    const row = await store.findEndpoint({ scope: LIVE, endpointId: id })
    expect(row).toMatchObject({ status: 'disabled', disabledReason: 'gone' })
    await publish(id)
    await clock.advance(7 * DAY - 60_000)
    expect(statuses()).toEqual(['gone', 'pending'])
    await clock.advance(120_000)
    expect(statuses()).toEqual(['gone', 'endpoint_disabled'])
    expect(requests).toHaveLength(1)
    await engine.stop()
  }, 60_000)

  it('sends nothing to an endpoint that was paused between the claim and the attempt', async () => {
    const { engine, addEndpoint, publish, store, requests, hooks } = setUp(() => response(200))
    await engine.start()
    const id = await addEndpoint()
    hooks.before = async (verb) => {
      if (verb !== 'claimDue') return
      delete hooks.before
      const change = { kind: 'status', status: 'paused', reason: null } as const
      await store.changeEndpoint({ scope: LIVE, endpointId: id, change, now: 1 })
    }
    await publish(id)
    await settled()
    expect(requests).toEqual([])
    await engine.stop()
  })
})

describe('when the store is down', () => {
  it('keeps outcomes until it is back, and sends no more than it could record', async () => {
    const { engine, addEndpoint, publish, requests, hooks, statuses, clock, errors } = setUp()
    await engine.start()
    const id = await addEndpoint()
    await publish(id)
    await publish(id)
    hooks.before = () => {
      throw new Error('down')
    }
    for (const request of requests) request.open(response(200))
    await clock.advance(60_000)
    expect(requests).toHaveLength(2)
    expect(errors.length).toBeGreaterThan(0)
    delete hooks.before
    await clock.advance(10_000)
    expect(statuses()).toEqual(['delivered', 'delivered'])
    expect(engine.inFlight()).toBe(0)
    await engine.stop()
  })

  it('tries again what it could not give back, as the same attempt', async () => {
    let faults = 3
    const own: AttemptOutcome = { kind: 'not_sent', fault: 'no_resources', detail: '' }
    const answer = () => (faults-- > 0 ? own : response(200))
    const { engine, addEndpoint, publish, hooks, statuses, clock, store } = setUp(answer)
    await engine.start()
    hooks.before = (verb) => {
      if (verb === 'releaseClaims' && faults === 2) {
        delete hooks.before
        throw new Error('down')
      }
    }
    await publish(await addEndpoint())
    await clock.advance(30_000)
    expect(statuses()).toEqual(['delivered'])
    expect(store.snapshot().attempts.map(({ number }) => number)).toEqual([1])
    await engine.stop()
  })

  it('starts nothing once the lease may have run out, and goes on when it is renewed', async () => {
    const { engine, addEndpoint, publish, requests, hooks, clock } = setUp(() => response(200))
    await engine.start()
    const id = await addEndpoint({ timeoutMs: 15_000 })
    hooks.before = (verb) => {
      if (verb === 'heartbeat') throw new Error('down')
    }
    await clock.advance(75_000)
    await publish(id)
    await clock.advance(10_000)
    expect(requests).toEqual([])
    delete hooks.before
    await clock.advance(10_000)
    expect(requests).toHaveLength(1)
    await engine.stop()
  })
})

describe('stopping', () => {
  it('waits for what is in flight, records it, leaves, and leaves no timer', async () => {
    const { engine, addEndpoint, publish, requests, statuses, clock, store } = setUp()
    await engine.start()
    const id = await addEndpoint()
    await publish(id)
    let stopped = false
    void engine.stop().then(() => (stopped = true))
    await clock.advance(14_000)
    expect(stopped).toBe(false)
    await publish(id)
    expect(requests).toHaveLength(1)
    requests[0]?.open(response(200))
    await clock.advance(0)
    expect(stopped).toBe(true)
    expect(statuses()).toEqual(['delivered', 'pending'])
    expect(clock.timers).toBe(0)
    expect((await store.heartbeat({ nodeId: 'node-a', leaseMs: 1, highWater: 0 })).alive).toBe(false)
  })

  it('keeps the lease while something is in flight', async () => {
    const { engine, addEndpoint, publish, requests, clock, store } = setUp()
    await engine.start()
    await publish(await addEndpoint({ timeoutMs: 60_000 }))
    let stopped = false
    void engine.stop().then(() => (stopped = true))
    await clock.advance(200_000)
    expect((await store.rescueClaims({ nodeId: 'other', now: clock.now(), limit: 10 })).rescued).toEqual([])
    requests[0]?.open(response(200))
    await clock.advance(0)
    expect(stopped).toBe(true)
  })
})
