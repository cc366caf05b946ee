import { describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../core/attempt-outcome.ts'
import { endpoint } from '../../test/endpoint.ts'
import { PHASES, response, runnerWorld, timeout } from '../../test/runner-world.ts'

const DAY = 86_400_000

describe('a delivery that is run', () => {
  it('goes on record with what was sent and what came back', async () => {
    const { run, records, lines, retries, clock } = runnerWorld({ headers: { 'x-token': 'secret' } })
    await run({ number: 3, trigger: 'manual' })
    expect(records).toMatchObject([
      {
        position: 1,
        number: 3,
        trigger: 'manual',
        startedAt: clock.now(),
        durationMs: 13,
        outcome: 'delivered',
        statusCode: 200,
        excerpt: new TextEncoder().encode('thanks'),
        truncated: false,
        phases: PHASES,
        verdict: { kind: 'delivered' },
        endpointEffect: null,
      },
    ])
    expect(JSON.stringify(records)).not.toContain('secret')
    expect(retries).toEqual([])
    expect(lines).toMatchObject([
      { deliveryId: 'dlv_1', number: 3, outcome: 'delivered', statusCode: 200, verdict: 'delivered', retryAt: null },
    ])
    expect(JSON.stringify(lines)).not.toMatch(/secret|thanks/)
  })

  it('waits in the store for its next attempt after a failure, by the schedule', async () => {
    const { run, state, records, retries, lines, clock } = runnerWorld()
    state.outcome = response(500)
    await run()
    expect(records[0]).toMatchObject({ outcome: 'http_error', verdict: { kind: 'retry', at: clock.now() + 5000 } })
    expect(retries).toEqual([clock.now() + 5000])
    expect(lines).toMatchObject([{ verdict: 'retry', retryAt: clock.now() + 5000 }])
    await run({ number: 2 })
    expect(retries[1]).toBe(clock.now() + 60_000)
  })

  it('is dead-lettered when the schedule is used up, and then is due never again', async () => {
    const { run, state, records, retries } = runnerWorld()
    state.outcome = timeout()
    await run({ number: 3 })
    expect(records[0]).toMatchObject({
      ...{ outcome: 'timeout', statusCode: null, excerpt: null, responseHeaders: {} },
      verdict: { kind: 'dead_letter', reason: 'attempts_exhausted' },
    })
    expect(retries).toEqual([])
  })

  it('counts its schedule from the latest replay', async () => {
    const { run, state, records } = runnerWorld()
    state.outcome = response(500)
    await run({ number: 12, cycleStart: 12 })
    await run({ number: 14, cycleStart: 12 })
    expect(records.map(({ verdict }) => verdict.kind)).toEqual(['retry', 'dead_letter'])
  })

  it('is due no more on this node when its claim was somebody else’s by then', async () => {
    const { run, state, retries, lines } = runnerWorld()
    state.outcome = response(500)
    state.result = 'stale'
    await run()
    expect(retries).toEqual([])
    expect(lines).toMatchObject([{ verdict: 'stale', retryAt: null }])
  })
})

describe('the deadline', () => {
  it('lets no attempt start once it has passed', async () => {
    const { run, clock, requests, releases } = runnerWorld()
    await run({ deadline: clock.now() })
    expect(requests).toEqual([])
    expect(releases).toEqual([{ position: 1, number: 1, dueAt: clock.now() }])
  })

  it('lets one start a millisecond before', async () => {
    const { run, clock, requests } = runnerWorld()
    await run({ deadline: clock.now() + 1 })
    expect(requests).toHaveLength(1)
  })

  it('is when the next attempt is due at the latest, so that the delivery ends in time', async () => {
    const { run, clock, state, records, retries } = runnerWorld()
    state.outcome = response(503, { 'retry-after': '3600' })
    await run({ deadline: clock.now() + 4000 })
    expect(records[0]?.verdict).toEqual({ kind: 'retry', at: clock.now() + 4000 })
    expect(retries).toEqual([clock.now() + 4000])
    await run({ position: 2, deadline: clock.now() + 2 * DAY })
    expect(records[1]?.verdict).toEqual({ kind: 'retry', at: clock.now() + 3_600_000 })
  })
})

describe('nothing is sent, and no attempt used up', () => {
  it.each([
    ['the endpoint is gone', { endpoint: null }, 0],
    ['the endpoint is paused', { endpoint: endpoint({ status: 'paused' }) }, 0],
    ['the endpoint is disabled', { endpoint: endpoint({ status: 'disabled' }) }, 0],
    ['the node is stopping', { stopping: true }, 0],
    // Not at once: it would be claimed and given back in a circle until the lease is renewed.
    ['the lease is too short', { covered: false }, 1000],
  ] as const)('when %s', async (_, change, wait) => {
    const { run, clock, state, requests, releases, records, retries } = runnerWorld()
    Object.assign(state, change)
    await run()
    expect(requests).toEqual([])
    expect(records).toEqual([])
    expect(releases).toEqual([{ position: 1, number: 1, dueAt: clock.now() + wait }])
    expect(retries).toEqual([clock.now() + wait])
  })

  it('when the fault is our own: it is tried again a little later', async () => {
    const { run, clock, state, releases, records, retries, lines } = runnerWorld()
    for (const fault of ['no_resolver', 'no_resources', 'proxy_down', 'stopping'] as const) {
      state.outcome = { kind: 'not_sent', fault, detail: 'ours' } satisfies AttemptOutcome
      await run()
    }
    expect(records).toEqual([])
    expect(releases).toHaveLength(4)
    for (const { dueAt } of releases) {
      expect(dueAt - clock.now()).toBeGreaterThanOrEqual(1000)
      expect(dueAt - clock.now()).toBeLessThanOrEqual(3000)
    }
    expect(retries).toEqual(releases.map(({ dueAt }) => dueAt))
    expect(lines[0]).toMatchObject({ outcome: 'not_sent', verdict: 'released', statusCode: null, durationMs: 0 })
  })

  it('when its secrets do not open: they are looked at anew before the next try', async () => {
    const world = runnerWorld()
    await world.cache.load(['ep_1'])
    const locked = world.cache.peek('ep_1')
    if (locked === null || locked === undefined) throw new Error('there is no endpoint')
    locked.secrets = null
    await world.run()
    expect([world.requests, world.releases.length]).toEqual([[], 1])
    await world.run()
    expect(world.requests).toHaveLength(1)
  })

  it('asks the lease for as long as this endpoint’s attempts may take', async () => {
    const { run, state } = runnerWorld({ timeoutMs: 42_000 })
    await run()
    expect(state.asked).toEqual([42_000])
  })
})

describe('what an attempt does to its endpoint', () => {
  const effects = ({ records }: ReturnType<typeof runnerWorld>) => records.map(({ endpointEffect }) => endpointEffect)

  it('says once that it is failing, and once that it has recovered', async () => {
    const world = runnerWorld()
    const started = world.clock.now()
    for (const outcome of [response(200), response(500), timeout(), response(302), response(204), response(200)]) {
      world.state.outcome = outcome
      await world.run()
      await world.clock.advance(1000)
    }
    const since = { kind: 'failing_since', at: started + 1000 }
    expect(effects(world)).toEqual([null, since, null, null, { kind: 'recovered' }, null])
  })

  it('says it again until it is on record', async () => {
    const world = runnerWorld()
    const started = world.clock.now()
    world.state.outcome = response(500)
    world.state.result = 'stale'
    await world.run()
    world.state.result = 'recorded'
    await world.run()
    await world.run()
    const since = { kind: 'failing_since', at: started }
    expect(effects(world)).toEqual([since, since, null])
  })

  it('disables it after five days of nothing but failure, and not a millisecond before', async () => {
    const world = runnerWorld({ failingSince: new Date(Date.UTC(2026, 0, 5, 12)).getTime() })
    world.state.outcome = response(500)
    await world.clock.advance(5 * DAY - 1)
    await world.run()
    await world.clock.advance(1)
    await world.run()
    expect(effects(world)).toEqual([null, { kind: 'disable', reason: 'failing' }])
  })

  it('does not disable it after five days when the attempt succeeds', async () => {
    const world = runnerWorld({ failingSince: 1 })
    await world.run()
    expect(effects(world)).toEqual([{ kind: 'recovered' }])
  })

  it('disables it on 410, and ends that delivery', async () => {
    const world = runnerWorld()
    world.state.outcome = response(410)
    await world.run()
    expect(effects(world)).toEqual([{ kind: 'disable', reason: 'gone' }])
    expect(world.records[0]?.verdict).toEqual({ kind: 'dead_letter', reason: 'gone' })
    expect(world.retries).toEqual([])
  })

  it('has nothing to do with a fault of our own', async () => {
    const world = runnerWorld({ failingSince: 1 })
    world.state.outcome = { kind: 'not_sent', fault: 'no_resolver', detail: '' }
    await world.run()
    expect(world.records).toEqual([])
    expect(world.cache.peek('ep_1')?.failingSince).toBe(1)
  })
})

describe('how many requests at once the endpoint gets', () => {
  it.each([
    [response(200), 5],
    [response(429), 2],
    [response(502), 2],
    [response(503), 2],
    [response(504), 2],
    [timeout(), 2],
    [response(500), 4],
    [response(404), 4],
    [response(301), 4],
  ])('changes with what it answers: %j', async (outcome, after) => {
    const { run, state, lane } = runnerWorld()
    lane.succeeded(endpoint())
    lane.succeeded(endpoint())
    expect(lane.free(endpoint(), 0)).toBe(4)
    state.outcome = outcome
    await run()
    expect(lane.free(endpoint(), 0)).toBe(after)
  })
})
