import { describe, expect, it, vi } from 'vitest'
import { NOW, OTHER_SECRET, SECRET, signedEvent, signedRequest } from '../../test/signed-request.ts'
import type { Envelope } from '../contract/index.ts'
import {
  createReceiver,
  Permanent,
  RetryLater,
  type DuplicateStore,
  type ReceiveContext,
  type ReceiverOptions,
} from './index.ts'

function receiverAt(options: Partial<ReceiverOptions> = {}) {
  const clock = { now: NOW }
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const receiver = createReceiver({ secrets: SECRET, now: () => clock.now, onError, ...options })
  return { clock, errors, receiver }
}

/** A promise to be resolved from outside. */
function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => void (open = resolve))
  return { open: () => open(), opened }
}

describe('an event', () => {
  it('reaches the handlers whose pattern matches, in order, with what is known of its request', async () => {
    const { receiver } = receiverAt()
    const seen: [string, Envelope, ReceiveContext][] = []
    receiver
      .on('agent.run.*', (event, context) => void seen.push(['first', event, context]))
      .on('agent.tool_call.*', (event, context) => void seen.push(['other', event, context]))
      .on('*', (event, context) => void seen.push(['second', event, context]))
    const { headers, body } = signedEvent('agent.run.completed', { data: { status: 'completed' } })
    const sent = { ...headers, 'Runbell-Attempt': '3', 'runbell-delivery-id': 'dlv_1' }
    const answer = await receiver.receive({ headers: sent, body })
    expect(answer).toMatchObject({
      status: 200,
      body: { event_id: 'evt_test_receive_01', handled: true, duplicate: false },
    })
    expect(seen.map(([name]) => name)).toEqual(['first', 'second'])
    expect(seen[0]?.[1]).toEqual(JSON.parse(body))
    expect(seen[0]?.[2]).toEqual({
      id: 'evt_test_receive_01',
      timestamp: NOW / 1000,
      attempt: 3,
      deliveryId: 'dlv_1',
      secretIndex: 0,
      body: new Uint8Array(Buffer.from(body)),
      waitUntil: expect.any(Function),
    })
  })

  it('of a type that no handler matches is taken, and is not marked as handled', async () => {
    const { receiver } = receiverAt()
    const request = signedEvent('acme.something.new')
    expect(await receiver.receive(request)).toMatchObject({ status: 200, body: { handled: false, duplicate: false } })
    const handler = vi.fn()
    receiver.on('acme.*', handler)
    expect(await receiver.receive(request)).toMatchObject({ status: 200, body: { handled: true, duplicate: false } })
    expect(handler).toHaveBeenCalledOnce()
  })

  it('is verified before it is parsed', async () => {
    const { receiver } = receiverAt()
    const parse = vi.spyOn(JSON, 'parse')
    const handler = vi.fn()
    receiver.on('*', handler)
    const { headers } = signedEvent('agent.run.started')
    const answer = await receiver.receive({ headers, body: '{"type":"agent.run.started"' })
    expect(answer).toMatchObject({ status: 401, body: { code: 'wrong_signature' } })
    expect(handler).not.toHaveBeenCalled()
    // The one explanation that parses does so after the check, and on a body it then refuses.
    expect(parse.mock.calls.length).toBeLessThanOrEqual(1)
    parse.mockRestore()
  })
})

describe('what is not an event is refused', () => {
  const event = signedEvent('agent.run.started')

  it.each([
    [{ method: 'GET' }, 405, 'method_not_allowed'],
    [{ headers: {} }, 400, 'missing_header'],
    [{ headers: { ...event.headers, 'webhook-timestamp': '1e9' } }, 400, 'malformed_timestamp'],
    [{ headers: { ...event.headers, 'webhook-signature': 'x' } }, 400, 'malformed_signature'],
    [{ headers: { ...event.headers, 'webhook-signature': 'v9,AAAA' } }, 401, 'no_supported_signature'],
    [{ headers: { ...event.headers, 'webhook-signature': 'v1,AAAA' } }, 401, 'wrong_signature'],
    [{ body: JSON.parse(event.body) as string }, 500, 'body_not_raw'],
    [{ body: 'x'.repeat(1024 * 1024 + 1) }, 413, 'body_too_large'],
    [signedEvent('agent.run.started', { now: NOW - 301_000 }), 401, 'timestamp_too_old'],
    [signedEvent('agent.run.started', { now: NOW + 301_000 }), 401, 'timestamp_in_future'],
    [signedEvent('agent.run.started', { secret: OTHER_SECRET }), 401, 'wrong_signature'],
    [signedRequest('evt_00000001', 'hello'), 400, 'malformed_json'],
    [signedRequest('evt_00000001', ''), 400, 'malformed_json'],
    [signedRequest('evt_00000001', 'null'), 400, 'not_an_event'],
    [signedRequest('evt_00000001', '[]'), 400, 'not_an_event'],
    [signedRequest('evt_00000001', '{"event_id":"evt_00000001"}'), 400, 'not_an_event'],
    [signedRequest('evt_00000001', '{"event_id":"evt_00000002","type":"agent.run.started"}'), 400, 'not_an_event'],
  ])('%#', async (changes, status, code) => {
    const { receiver } = receiverAt()
    const handler = vi.fn()
    receiver.on('*', handler)
    const answer = await receiver.receive({ ...event, ...changes })
    expect(answer).toMatchObject({ status, body: { code, message: expect.any(String), fix: expect.any(String) } })
    expect(JSON.stringify(answer)).not.toContain(SECRET.slice(6))
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('an event that comes again', () => {
  it('is answered as a duplicate once it is done', async () => {
    const { receiver } = receiverAt()
    const handler = vi.fn()
    receiver.on('*', handler)
    await receiver.receive(signedEvent('agent.run.started'))
    // Another attempt: same id and bytes, another timestamp and signature.
    const again = signedEvent('agent.run.started', { now: NOW + 60_000 })
    expect(await receiver.receive(again)).toMatchObject({ status: 200, body: { handled: true, duplicate: true } })
    expect(handler).toHaveBeenCalledOnce()
    await receiver.receive(signedEvent('agent.run.started', { id: 'evt_test_receive_02' }))
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('while it is being handled is sent away with 409 and Retry-After, never with 2xx', async () => {
    const { receiver } = receiverAt()
    const { open, opened } = gate()
    const handler = vi.fn(() => opened)
    receiver.on('*', handler)
    const first = receiver.receive(signedEvent('agent.run.started'))
    await vi.waitUntil(() => handler.mock.calls.length === 1)
    const second = await receiver.receive(signedEvent('agent.run.started'))
    expect(second).toMatchObject({ status: 409, body: { code: 'event_in_progress' } })
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(0)
    open()
    expect(await first).toMatchObject({ status: 200, body: { duplicate: false } })
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ body: { duplicate: true } })
    expect(handler).toHaveBeenCalledOnce()
  })

  it('is handled once by twenty requests at the same time', async () => {
    const { receiver } = receiverAt()
    const handler = vi.fn(async () => undefined)
    receiver.on('*', handler)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => receiver.receive(signedEvent('agent.run.started'))),
    )
    expect(handler).toHaveBeenCalledOnce()
    expect(answers.filter(({ body }) => 'duplicate' in body && !body.duplicate)).toHaveLength(1)
    for (const { status } of answers) expect([200, 409]).toContain(status)
  })

  it('after a handler failed is handled again, and the sender does not see the exception', async () => {
    const { receiver, errors } = receiverAt()
    const handler = vi.fn().mockRejectedValueOnce(new Error('password is hunter2')).mockResolvedValue(undefined)
    receiver.on('*', handler)
    const failed = await receiver.receive(signedEvent('agent.run.started'))
    expect(failed).toMatchObject({ status: 500, body: { code: 'handler_failed' } })
    expect(JSON.stringify(failed)).not.toContain('hunter2')
    expect(errors).toEqual([new Error('password is hunter2')])
    const again = await receiver.receive(signedEvent('agent.run.started'))
    expect(again).toMatchObject({ status: 200, body: { duplicate: false } })
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('after its claim expired is handled again; the first then cannot drop the claim of the second', async () => {
    const { receiver, clock } = receiverAt({ claimMs: 60_000 })
    const gates = [gate(), gate()]
    const handler = vi.fn()
    handler.mockImplementationOnce(() => gates[0]?.opened.then(() => Promise.reject(new Error('slow, then failed'))))
    handler.mockImplementationOnce(() => gates[1]?.opened)
    receiver.on('*', handler)
    const first = receiver.receive(signedEvent('agent.run.started'))
    await vi.waitUntil(() => handler.mock.calls.length === 1)
    clock.now += 60_000
    const second = receiver.receive(signedEvent('agent.run.started'))
    await vi.waitUntil(() => handler.mock.calls.length === 2)
    gates[0]?.open()
    expect(await first).toMatchObject({ status: 500 })
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ status: 409 })
    gates[1]?.open()
    expect(await second).toMatchObject({ status: 200 })
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ body: { duplicate: true } })
    expect(handler).toHaveBeenCalledTimes(2)
  })
})

describe('a handler that says how it failed', () => {
  it('is called again after the delay it asks for', async () => {
    const { receiver } = receiverAt()
    const handler = vi.fn().mockRejectedValueOnce(new RetryLater(89.5)).mockResolvedValue(undefined)
    receiver.on('*', handler)
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '90' },
      body: { code: 'retry_later' },
    })
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ body: { duplicate: false } })
    const delays = [0, -1, Number.NaN, Infinity, 1e9].map((seconds) => new RetryLater(seconds).delaySeconds)
    expect(delays).toEqual([1, 1, 60, 60, 86_400])
  })

  it('is never called again where it says that it never can', async () => {
    const { receiver, errors } = receiverAt()
    const handler = vi.fn().mockRejectedValue(new Permanent('no such customer: hunter2'))
    receiver.on('*', handler)
    const answer = await receiver.receive(signedEvent('agent.run.started'))
    expect(answer).toMatchObject({ status: 200, body: { handled: true, failed: true } })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ body: { duplicate: true } })
    expect(handler).toHaveBeenCalledOnce()
    expect(errors).toHaveLength(1)
  })
})

describe('a store that fails', () => {
  const working: DuplicateStore = {
    claim: async () => 'claimed',
    done: async () => undefined,
    release: async () => undefined,
  }
  const broken = () => {
    throw new Error('store is away')
  }

  it('at the claim lets no handler run, and the event come again', async () => {
    const { receiver, errors } = receiverAt({ store: { ...working, claim: broken } })
    const handler = vi.fn()
    receiver.on('*', handler)
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({
      status: 503,
      headers: { 'retry-after': expect.any(String) },
      body: { code: 'store_failed' },
    })
    expect(handler).not.toHaveBeenCalled()
    expect(errors).toHaveLength(1)
  })

  it('after the work does not make the work a failure', async () => {
    const { receiver, errors } = receiverAt({ store: { ...working, done: broken } })
    receiver.on('*', () => undefined)
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ status: 200 })
    expect(errors).toHaveLength(1)
  })

  it('at the release, and a reporter that fails too, still answer', async () => {
    const store = { ...working, release: () => Promise.reject(new Error('away')) }
    const { receiver } = receiverAt({ store, onError: broken })
    receiver.on('*', broken)
    expect(await receiver.receive(signedEvent('agent.run.started'))).toMatchObject({ status: 500 })
  })
})

describe('options', () => {
  it('that cannot be are refused at the start', () => {
    expect(() => createReceiver({ secrets: [] })).toThrow(TypeError)
    expect(() => createReceiver({ secrets: undefined as never })).toThrow(TypeError)
    expect(() => createReceiver({ secrets: 'whsec_AQ==' })).toThrow(expect.objectContaining({ code: 'too_short' }))
    for (const wrong of [
      { claimMs: 0 },
      { maxBodyBytes: 0 },
      { toleranceSeconds: Number.NaN },
      { headerPrefix: 'a b' },
    ]) {
      expect(() => createReceiver({ secrets: SECRET, ...wrong })).toThrow(TypeError)
    }
  })

  it('allow another prefix, another tolerance and a second secret', async () => {
    const { receiver } = receiverAt({ headerPrefix: 'acme', toleranceSeconds: 600, secrets: [OTHER_SECRET, SECRET] })
    const seen: number[] = []
    receiver.on('*', (_event, context) => void seen.push(context.secretIndex))
    const { headers, body } = signedEvent('agent.run.started', { now: NOW - 500_000 })
    const own = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.replace('webhook', 'acme'), value]),
    )
    expect(await receiver.receive({ headers: own, body })).toMatchObject({ status: 200 })
    expect(seen).toEqual([1])
  })
})
