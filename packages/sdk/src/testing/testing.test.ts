import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkSchema } from '../../test/check-schema.ts'
import { BUILT_IN_TYPES, SERVICE_TYPES, type KnownEventType } from '../catalog/index.ts'
import {
  expectDuplicateSafe,
  FakeClock,
  memoryReceiver,
  signedFixture,
  STORIES,
  story,
  TEST_SECRET,
  type StoryName,
} from './index.ts'

afterEach(() => void vi.useRealTimers())

describe('fixtures', () => {
  it.each([...BUILT_IN_TYPES.keys(), ...SERVICE_TYPES.keys()] as KnownEventType[])('%s is signed', async (type) => {
    const clock = new FakeClock()
    vi.useFakeTimers({ toFake: ['Date'], now: clock.now() })
    const { event, headers, body } = await signedFixture(type)
    expect(event.type).toBe(type)
    expect(() => new Webhook(TEST_SECRET).verify(body, headers)).not.toThrow()
  })

  it('take changes, and no type that is none', async () => {
    const { body } = await signedFixture('agent.run.completed', { run_id: 'run_mine' })
    expect(JSON.parse(body)).toMatchObject({ run_id: 'run_mine', data: { status: 'completed' } })
    await expect(signedFixture('acme.x.one' as never)).rejects.toThrow(TypeError)
  })
})

describe('stories', () => {
  it.each(Object.keys(STORIES) as StoryName[])('%s fits the schemas, rises, and is the same by seed', async (name) => {
    const events = story(name, { seed: 7 })
    expect(JSON.stringify(story(name, { seed: 7 }))).toBe(JSON.stringify(events))
    expect(JSON.stringify(story(name, { seed: 8 }))).not.toBe(JSON.stringify(events))
    for (const [index, event] of events.entries()) {
      const schema = BUILT_IN_TYPES.get(event.type)?.versions[0]?.schema
      expect(checkSchema(schema as never, event.data), event.type).toEqual([])
      expect(event.sequence).toBe(index + 1)
      expect(event.run_id).toBe(events[0]?.run_id)
      expect(event.timestamp >= (events[index - 1]?.timestamp ?? '')).toBe(true)
    }
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(events.length)
    const { receiver, deliver } = memoryReceiver()
    const seen: string[] = []
    receiver.on('*', ({ type }) => void seen.push(type))
    for (const event of events) expect(await deliver(event)).toMatchObject({ status: 200 })
    expect(seen).toEqual(events.map(({ type }) => type))
  })
})

describe('expectDuplicateSafe', () => {
  it('passes a handler that remembers with its effect', async () => {
    const rows = new Map<string, number>()
    const handler = (event: { event_id: string }) => void rows.set(event.event_id, 84)
    await expect(expectDuplicateSafe(handler as never, () => [...rows])).resolves.toBeUndefined()
  })

  it('catches one whose effect adds up, and one that fails', async () => {
    let sum = 0
    const adding = () => void (sum += 84)
    await expect(expectDuplicateSafe(adding, () => sum)).rejects.toThrow(/after a restart/)
    const failing = () => Promise.reject(new Error('mine'))
    await expect(expectDuplicateSafe(failing, () => 0)).rejects.toMatchObject({ cause: new Error('mine') })
  })
})
