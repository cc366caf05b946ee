import type { DeliveryView } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  attemptsOf,
  createEndpoint,
  get,
  newType,
  publish,
  untilDelivery,
  type DetailedDelivery,
} from '../support/client.ts'
import { hasTool, limitProcess } from '../support/machine-tool.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Contract, "Retries". */
const DEFAULT = [
  ...[5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE],
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR),
]
const JITTER = 0.2
/** Between the end of an attempt, as far as it can be seen from outside, and the moment its outcome was decided. */
const SLACK_MS = 1500

describe('G13: Retries as in contract.md. Our own faults (no disk, proxy down, no resolver) use up no attempt.', () => {
  const server = shareServer({ RUNBELL_LOG_LEVEL: 'info' })

  /** How long after its first attempt ended the second one is due. */
  async function delayAfter(headers: Record<string, string>, settings: Record<string, unknown>, status = 503) {
    const receiver = await server.receiver(() => ({ status, headers }))
    const type = newType()
    await createEndpoint(server, receiver.url, type, settings)
    const { event_id: eventId } = await publish(server, anEvent(type))
    const planned = (delivery: DeliveryView) => delivery.next_attempt_at !== null && delivery.attempt_count === 1
    const { id, next_attempt_at: next } = await untilDelivery(server, eventId, planned)
    const [attempt] = await attemptsOf(server, id)
    const ended = Date.parse(attempt?.started_at ?? '') + (attempt?.duration_ms ?? Number.NaN)
    return { id, delay: Date.parse(next ?? '') - ended }
  }

  function expectBetween(value: number, least: number, most: number): void {
    expect(value).toBeGreaterThanOrEqual(least - 10)
    expect(value).toBeLessThanOrEqual(most + SLACK_MS)
  }

  test.concurrent('the default schedule is that of the contract: 11 attempts over about three days', async () => {
    const { id, delay } = await delayAfter({}, {})
    const { schedule } = await get<DetailedDelivery>(server, `/v1/deliveries/${id}`)
    expect(schedule).toMatchObject({ retry_schedule: DEFAULT, max_attempts: 11 })
    expectBetween(delay, 4 * SECOND, 6 * SECOND)
  })

  test.concurrent('each delay is that of the schedule with at most 20 % of jitter', async () => {
    const delays = await Promise.all(
      Array.from({ length: 12 }, async () => (await delayAfter({}, { retry_schedule: [HOUR] })).delay),
    )
    for (const delay of delays) expectBetween(delay, HOUR * (1 - JITTER), HOUR * (1 + JITTER))
    // Twelve that agree to the second would be no jitter.
    expect(new Set(delays.map((delay) => Math.round(delay / SECOND))).size).toBeGreaterThan(6)
  })

  test.concurrent('n delays make n + 1 attempts, none before its time', async () => {
    const receiver = await server.receiver(() => 500)
    const type = newType()
    const schedule = [150, 300, 450]
    await createEndpoint(server, receiver.url, type, { retry_schedule: schedule })
    const { event_id: eventId } = await publish(server, anEvent(type))
    expect(await untilDelivery(server, eventId)).toMatchObject({ reason: 'attempts_exhausted', attempt_count: 4 })
    const times = receiver.received.map(({ at }) => at)
    expect(times).toHaveLength(4)
    for (const [index, delay] of schedule.entries()) {
      const gap = (times[index + 1] as number) - (times[index] as number)
      expect(gap).toBeGreaterThanOrEqual(delay * (1 - JITTER) - 10)
      expect(gap).toBeLessThan(delay * (1 + JITTER) + SLACK_MS)
    }
  })

  test.concurrent.each([429, 500, 503])(
    'Retry-After of a %i in seconds moves the next attempt later',
    async (status) => {
      const { delay } = await delayAfter({ 'retry-after': '600' }, { retry_schedule: [100] }, status)
      expectBetween(delay, 600 * SECOND, 600 * SECOND)
    },
  )

  test.concurrent('Retry-After as a date moves it to that date', async () => {
    const at = new Date(Date.now() + 2 * HOUR)
    const { delay } = await delayAfter({ 'retry-after': at.toUTCString() }, { retry_schedule: [100] })
    expectBetween(delay, 2 * HOUR - 10 * SECOND, 2 * HOUR)
  })

  test.concurrent('an attempt that had to wait for Retry-After does come', async () => {
    const receiver = await server.receiver((index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '1' } } : 204,
    )
    const type = newType()
    await createEndpoint(server, receiver.url, type, { retry_schedule: [10] })
    const { event_id: eventId } = await publish(server, anEvent(type))
    expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered', attempt_count: 2 })
    const [first, second] = receiver.received.map(({ at }) => at)
    expect((second as number) - (first as number)).toBeGreaterThanOrEqual(990)
  })

  test.concurrent('it moves it by 24 hours at most', async () => {
    const { delay } = await delayAfter({ 'retry-after': String(10 * 24 * 3600) }, { retry_schedule: [100] })
    expectBetween(delay, 24 * HOUR, 24 * HOUR)
  })

  test.concurrent.each(['0', '1', '-5', 'soon', '1e9', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'it never moves it before its place in the schedule: %j',
    async (value) => {
      const { delay } = await delayAfter({ 'retry-after': value }, { retry_schedule: [HOUR] })
      expectBetween(delay, HOUR * (1 - JITTER), HOUR * (1 + JITTER))
    },
  )

  test.concurrent('it makes no attempt where the schedule is used up', async () => {
    const receiver = await server.receiver(() => ({ status: 503, headers: { 'retry-after': '0' } }))
    const type = newType()
    await createEndpoint(server, receiver.url, type, { retry_schedule: [] })
    const { event_id: eventId } = await publish(server, anEvent(type))
    expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'dead_lettered', attempt_count: 1 })
    expect(receiver.received).toHaveLength(1)
  })

  /** No resolver, no proxy and the rest of our own faults: `delivery/engine.test.ts` and `transport-hostile.test.ts`. */
  const canLimit = hasTool(
    'G13, a server without file descriptors',
    'prlimit',
    '--pid',
    String(process.pid),
    '--nofile',
  )

  test.skipIf(!canLimit)('a fault of our own, no file descriptor left, uses up no attempt', async () => {
    const receiver = await server.receiver(() => 204)
    const type = newType()
    await createEndpoint(server, receiver.url, type, { retry_schedule: [] })
    const { pid } = server.process.child
    limitProcess(pid, '--nofile=1:')
    const { event_id: eventId } = await publish(server, anEvent(type))
    const fault = () => server.process.log().includes('"outcome":"not_sent"')
    await until('the attempt met the fault', fault, (met) => met)
    const released = (delivery: DeliveryView) => delivery.attempt_count === 0
    const { id } = await untilDelivery(server, eventId, released)
    expect(await attemptsOf(server, id)).toEqual([])
    expect(receiver.received).toHaveLength(0)

    limitProcess(pid, '--nofile=1024:')
    expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered', attempt_count: 1 })
    expect(await attemptsOf(server, id)).toMatchObject([{ number: 1, outcome: 'delivered' }])
    expect(receiver.received.map(({ headers }) => headers['runbell-attempt'])).toEqual(['1'])
  })

  const canFill = hasTool('G13, a server whose disk takes nothing', 'prlimit', '--pid', String(process.pid), '--fsize')

  test.skipIf(!canFill)(
    'a fault of our own, a disk that takes nothing, uses up no attempt and sends nothing',
    async () => {
      const receiver = await server.receiver((index) => (index === 0 ? 500 : 204))
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: [SECOND] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const planned = ({ next_attempt_at: next }: DeliveryView) => next !== null
      const { id } = await untilDelivery(server, eventId, planned)
      const { pid } = server.process.child
      limitProcess(pid, '--fsize=1:')
      const before = server.process.log().length
      const trouble = () => server.process.log().slice(before).includes('delivery.trouble')
      await until('the retry was due and could not be put on record', trouble, (met) => met)
      expect(receiver.received).toHaveLength(1)

      limitProcess(pid, '--fsize=unlimited:')
      expect(await untilDelivery(server, eventId)).toMatchObject({ status: 'delivered', attempt_count: 2 })
      expect((await attemptsOf(server, id)).map(({ outcome }) => outcome)).toEqual(['http_error', 'delivered'])
      expect(receiver.received).toHaveLength(2)
    },
  )
})
