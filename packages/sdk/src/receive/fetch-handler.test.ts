import { describe, expect, it, vi } from 'vitest'
import { NOW, SECRET, signedEvent } from '../../test/signed-request.ts'
import { createReceiver } from './index.ts'

const URL = 'https://example.com/hooks'
const EVENT = signedEvent('agent.run.started')

function receiverWith(handler: () => unknown, maxBodyBytes?: number) {
  const limit = maxBodyBytes === undefined ? {} : { maxBodyBytes }
  return createReceiver({ secrets: SECRET, now: () => NOW, onError: () => undefined, ...limit }).on('*', handler)
}

const post = (changes: Partial<RequestInit> = {}) => new Request(URL, { method: 'POST', ...EVENT, ...changes })

function streamOf(...parts: string[]) {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part))
      controller.close()
    },
  })
}

describe('the fetch handler', () => {
  it('takes an event and answers with JSON', async () => {
    const handler = vi.fn()
    const { fetch } = receiverWith(handler)
    const response = await fetch(post())
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({ event_id: 'evt_test_receive_01', handled: true, duplicate: false })
    expect(await (await fetch(post())).json()).toMatchObject({ duplicate: true })
    expect(handler).toHaveBeenCalledOnce()
  })

  it('reads a body that comes in pieces', async () => {
    const pieces = streamOf(EVENT.body.slice(0, 10), EVENT.body.slice(10))
    const response = await receiverWith(() => undefined).fetch(post({ body: pieces, duplex: 'half' } as RequestInit))
    expect(response.status).toBe(200)
  })

  it('refuses with code, message and fix', async () => {
    const response = await receiverWith(() => undefined).fetch(post({ body: `${EVENT.body}\n` }))
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({
      code: 'wrong_signature',
      message: expect.stringContaining('line break'),
    })
  })

  it('answers 405 to anything but POST', async () => {
    const response = await receiverWith(() => undefined).fetch(new Request(URL))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('stops reading above the limit, announced or not', async () => {
    const handler = vi.fn()
    const { fetch } = receiverWith(handler, EVENT.body.length)
    expect((await fetch(post())).status).toBe(200)
    const announced = post({ headers: { ...EVENT.headers, 'content-length': String(EVENT.body.length + 1) } })
    expect((await fetch(announced)).status).toBe(413)
    let pulled = 0
    const endless = new ReadableStream({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(100))
      },
    })
    const response = await fetch(post({ body: endless, duplex: 'half' } as RequestInit))
    expect([response.status, await response.json()]).toMatchObject([413, { code: 'body_too_large' }])
    expect(pulled).toBeLessThan(EVENT.body.length)
    expect(handler).toHaveBeenCalledOnce()
  })

  it('explains a body that was read before, and one that breaks off', async () => {
    const { fetch } = receiverWith(() => undefined)
    const read = post()
    await read.json()
    const response = await fetch(read)
    expect([response.status, await response.json()]).toMatchObject([500, { code: 'body_already_read' }])
    const locked = post()
    locked.body?.getReader()
    expect((await fetch(locked)).status).toBe(500)
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    const answer = await fetch(post({ body: broken, duplex: 'half' } as RequestInit))
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'body_incomplete' }])
  })
})
