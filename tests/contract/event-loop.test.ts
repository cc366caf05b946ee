import { describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, newType, request } from '../support/client.ts'
import { longestStall, WATCHED } from '../support/loop-probe.ts'
import { slowness } from '../support/machine-speed.ts'
import { shareServer } from '../support/shared-server.ts'

const KIB = 1024
/** CPU time, on a machine that does nothing else. */
const STALL_MS = 50

/** As much as one request may hold, in the shapes that cost most. */
const HEAVY: Record<string, unknown> = {
  'one long string': 'x'.repeat(250 * KIB),
  escapes: '\u0001'.repeat(40 * KIB),
  'four-byte characters': '😀'.repeat(60 * KIB),
  '9,000 members': Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`member-${index}`, index])),
  '8,000 members that almost collide': Object.fromEntries(
    Array.from({ length: 8000 }, (_, index) => [`${'a'.repeat(10)}${index.toString(2)}`, null]),
  ),
  '30 levels': Array.from({ length: 28 }).reduce<unknown>((inner) => ({ inner }), 'deep'),
  'what almost looks like credentials': 'sk-'.repeat(80 * KIB),
  'what almost looks like a token': `${'eyJ'.repeat(30 * KIB)}.${'eyJ'.repeat(30 * KIB)}`,
  'what almost looks like a connection string': 'postgres://a:'.repeat(18 * KIB),
  'digits that are almost cards': '4242 4242 4242 4241 '.repeat(12 * KIB),
  'cards, one after another': '4242 4242 4242 4242. '.repeat(11 * KIB),
  'private keys, one after another':
    `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END PRIVATE KEY-----\n`.repeat(1900),
  'digits without an end': '4'.repeat(250 * KIB),
  'what almost begins a private key': '-----BEGIN PRIVATE KEY----- '.repeat(9 * KIB),
}

describe('the event loop is never held up for 50 ms', () => {
  const server = shareServer({ ...WATCHED, RUNBELL_RETRY_SCHEDULE: '100ms' })

  test.each(Object.keys(HEAVY))('by an event with %s, though receivers want most of it cut', async (name) => {
    const before = slowness()
    const type = newType()
    const receiver = await server.receiver(() => 204)
    for (const classes of [[], ['prompt'], ['memory']]) {
      await createEndpoint(server, receiver.url, type, { data_classes: classes, format: 'cloudevents' })
    }
    const body = JSON.stringify(anEvent(type, { data: { v: HEAVY[name] } }))
    const rounds = async (count: number) => {
      for (let round = 0; round < count; round++) {
        const { status } = await request(server, 'POST', '/v1/events', { body })
        expect(status).toBe(202)
      }
    }
    // Code that runs for the first time is compiled on the way.
    await rounds(2)
    await longestStall(server.process)
    await rounds(3)
    await receiver.until((received) => received.length === 15)
    expect(await longestStall(server.process)).toBeLessThan(STALL_MS * Math.max(before, slowness()))
  })

  test('by a batch as large as it may be, nor by what comes beside it', async () => {
    const type = newType()
    const events = Array.from({ length: 1000 }, (_, n) => anEvent(type, { data: { n, text: 'y'.repeat(5000) } }))
    await longestStall(server.process)
    const { status } = await request(server, 'POST', '/v1/events/batch', { body: JSON.stringify(events) })
    expect(status).toBe(202)
    expect(await longestStall(server.process)).toBeLessThan(STALL_MS * slowness())
  })

  test('by a list of a thousand events', async () => {
    await longestStall(server.process)
    expect((await request(server, 'GET', '/v1/events?limit=100')).status).toBe(200)
    expect(await longestStall(server.process)).toBeLessThan(STALL_MS * slowness())
  })
})
