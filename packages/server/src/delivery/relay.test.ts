import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { Relay, type RelayedAttempt, type RelayOutcome } from './relay.ts'

const SENT = {
  ...{ endpointId: 'ep_1', deliveryId: 'dlv_1', number: 1, timeoutMs: 1000 },
  ...{ headers: [['webhook-id', 'evt_1']] as [string, string][], body: new Uint8Array([1]) },
}
const TOLD: RelayOutcome = {
  ...{ status: 204, headers: {}, excerpt: new Uint8Array(), truncated: false, durationMs: 1 },
  kind: 'response',
  phases: { dns: null, connect: null, tls: null, wait: null },
}

function setUp(takes = true) {
  const clock = new FakeClock()
  const relay = new Relay(clock)
  const given: RelayedAttempt[] = []
  const ended: string[] = []
  const leave = relay.attach('ep_1', {
    take: (attempt) => (takes ? given.push(attempt) > 0 : false),
    end: (reason) => void ended.push(reason),
  })
  return { clock, relay, given, ended, leave }
}

describe('relay', () => {
  it('answers with what the listener tells, once', async () => {
    const { relay, given } = setUp()
    const outcome = relay.send(SENT)
    expect(given.map(({ attemptId }) => attemptId)).toEqual(['att_1_1'])
    expect(relay.settle('ep_2', 'att_1_1', TOLD)).toBe(false)
    expect(relay.settle('ep_1', 'att_1_1', TOLD)).toBe(true)
    expect(relay.settle('ep_1', 'att_1_1', TOLD)).toBe(false)
    expect(await outcome).toBe(TOLD)
  })

  it('sends nothing where nobody listens, or does not read: no attempt is used up', async () => {
    expect(await setUp(false).relay.send(SENT)).toMatchObject({ kind: 'not_sent' })
    const { relay, leave } = setUp()
    leave()
    expect(relay.isOpen('ep_1')).toBe(false)
    expect(await relay.send(SENT)).toMatchObject({ kind: 'not_sent' })
  })

  it('takes silence for a time-out, also of a listener that has left', async () => {
    const { relay, clock, leave } = setUp()
    const outcome = relay.send(SENT)
    leave()
    await clock.advance(1000)
    expect(await outcome).toMatchObject({ kind: 'failure', outcome: 'timeout', durationMs: 1000 })
    expect(relay.settle('ep_1', 'att_1_1', TOLD)).toBe(false)
  })

  it('sends the one before away, whose leaving is then of no consequence', () => {
    const { relay, ended, leave } = setUp()
    relay.attach('ep_1', { take: () => true, end: () => {} })
    expect(ended).toEqual(['replaced'])
    leave()
    expect(relay.isOpen('ep_1')).toBe(true)
  })

  it('stops when every outcome is told, or without it when it has waited long enough', async () => {
    const { relay, clock } = setUp()
    const told = relay.send(SENT)
    const never = relay.send({ ...SENT, deliveryId: 'dlv_2' })
    let isOver = false
    const stopped = relay.stop(500).then(() => (isOver = true))
    expect(await relay.send({ ...SENT, deliveryId: 'dlv_3' })).toMatchObject({ kind: 'not_sent' })
    relay.settle('ep_1', 'att_1_1', TOLD)
    expect(await told).toBe(TOLD)
    expect(isOver).toBe(false)
    await clock.advance(500)
    await stopped
    expect(await never).toMatchObject({ outcome: 'timeout' })
  })
})
