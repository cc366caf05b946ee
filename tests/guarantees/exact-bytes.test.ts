import type { BatchAccepted, EventView } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import { createEndpoint, get, newEventId, newType, post, publish, request } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

/** What `JSON.parse` and `JSON.stringify` would change, each by itself. */
const DATA: [name: string, data: string][] = [
  ['an integer beyond 2^53', '{"n":12345678901234567890}'],
  ['1.0', '{"n":1.0}'],
  ['1E400, which no double can hold', '{"n":1E400}'],
  ['-0', '{"n":-0}'],
  ['numbers in odd spellings', '{"n":[-0.0,1e-7,1E+2,0.10,1000000000000000000000000,5e-324]}'],
  ['an escaped é', '{"t":"caf\\u00e9"}'],
  ['an escaped slash', '{"t":"<\\/script>"}'],
  ['an emoji as two escapes', '{"t":"\\uD83D\\ude00"}'],
  ['raw U+2028, U+2029 and an emoji', '{"t":"\u2028\u2029🔔"}'],
  ['an escaped NUL and DEL', '{"t":"\\u0000\u007f"}'],
  ['white space of all four kinds', '{ "a" :\t[ 1 ,\r\n2 ]\n,  "b":{ }  }'],
  ['keys that look like numbers', '{"2":1,"1":2,"a":3}'],
  ['keys that objects treat specially', '{"__proto__":1,"constructor":{"prototype":2},"toJSON":3,"":4}'],
  ['an escaped key', '{"\\u0061":1}'],
  ['what looks like the end of the body', '{"t":"}}","u":"\\"}"}'],
  ['what looks like the envelope', '{"event_id":"evt_other","data":{"sequence":7},"recorded_at":"x"}'],
  ['nothing', '{}'],
  ['the deepest nesting', `{"d":${'['.repeat(30)}${']'.repeat(30)}}`],
  ['40 KB', `{"t":"${'ü'.repeat(20_000)}"}`],
]

/** The order of details.md 7. */
const ENVELOPE = [
  ...['event_id', 'type', 'schema_version', 'timestamp', 'recorded_at', 'expires_at', 'mode', 'tenant_id', 'run_id'],
  ...['task_id', 'conversation_id', 'sequence', 'agent', 'trace_id', 'causation_id', 'metadata', 'data'],
]

describe(
  'Bytes: The source event and each distinct body (event × format × schema version × granted classes) are stored as bytes ' +
    'at acceptance, with a SHA-256 the API shows. Attempts and replays send those bytes.',
  () => {
    const server = shareServer()

    /** One endpoint, and what arrives there under an event's id. */
    async function listening() {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const bodyOf = async (eventId: string): Promise<string> => {
        await receiver.until((received) => received.some((each) => each.eventId === eventId))
        return receiver.received.find((each) => each.eventId === eventId)?.body.toString() ?? ''
      }
      const eventWith = (data: string, id = '') => `{"type":"${type}",${id}"agent":{"id":"a"},"data":${data}}`
      return { bodyOf, eventWith }
    }

    test.concurrent.each(DATA)('%s reaches the receiver byte for byte', async (_name, data) => {
      const { bodyOf, eventWith } = await listening()
      const { event_id: eventId } = await publish(server, eventWith(data))
      const body = await bodyOf(eventId)
      expect(body.slice(body.indexOf(',"data":'))).toBe(`,"data":${data}}`)
      expect(() => JSON.parse(body)).not.toThrow()
    })

    test.concurrent.each(DATA)('%s is shown byte for byte by the API', async (_name, data) => {
      const { eventWith, bodyOf } = await listening()
      const { event_id: eventId } = await publish(server, eventWith(data))
      const shown = await request<EventView>(server, 'GET', `/v1/events/${eventId}`)
      expect(shown.bytes.toString()).toContain(`,"data":${data},"body_sha256":"`)
      const stored = await request(server, 'GET', `/v1/events/${eventId}/body`)
      expect(stored.bytes.toString()).toBe(await bodyOf(eventId))
    })

    test.concurrent.each<[string, string, (items: string[]) => string]>([
      ['a JSON array', 'application/json', (items) => `[\n ${items.join(' ,\r\n')}\t]`],
      ['NDJSON', 'application/x-ndjson', (items) => `${items.join('\r\n')}\n`],
    ])('all of them arrive unchanged when published together as %s', async (_name, contentType, join) => {
      const { bodyOf, eventWith } = await listening()
      const kept = DATA.filter(([, data]) => contentType === 'application/json' || !/[\r\n]/.test(data))
      const ids = kept.map(() => newEventId())
      const items = kept.map(([, data], index) => eventWith(data, ` "event_id" : "${ids[index]}",`))
      const headers = { 'content-type': contentType }
      const { json } = await request<BatchAccepted>(server, 'POST', '/v1/events/batch', { body: join(items), headers })
      expect(json.results.map(({ status }) => status)).toEqual(kept.map(() => 'accepted'))
      for (const [index, [, data]] of kept.entries()) {
        const body = await bodyOf(ids[index] as string)
        expect(body.slice(body.indexOf(',"data":'))).toBe(`,"data":${data}}`)
      }
    })

    test.concurrent('around the data stands the envelope, in its order, whatever order it was published in', async () => {
      const receiver = await server.receiver(() => 204)
      await createEndpoint(server, receiver.url, 'agent.task.*', { tenant_id: 'bytes', data_classes: ['operational'] })
      const given = {
        data: { status: 'queued' },
        metadata: { z: '1', a: 'é' },
        causation_id: 'evt_what-caused-it',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        agent: { version: '2', id: 'agent', name: 'Agent' },
        conversation_id: 'conversation',
        task_id: 'task',
        run_id: 'run',
        tenant_id: 'bytes',
        mode: 'live',
        expires_at: new Date(Date.now() + 60_000).toISOString(),
        schema_version: 1,
        timestamp: '2026-01-02T03:04:05.678+01:00',
        type: 'agent.task.created',
        event_id: newEventId(),
      }
      const { data } = await get<{ data: unknown[] }>(server, '/v1/endpoints?tenant_id=bytes')
      expect(data).toHaveLength(1)
      await publish(server, given)
      await receiver.until((received) => received.length === 1)
      const body = JSON.parse(receiver.received[0]?.body.toString() ?? '') as Record<string, unknown>
      expect(Object.keys(body)).toEqual(ENVELOPE)
      expect(body).toMatchObject({ ...given, timestamp: '2026-01-02T02:04:05.678Z', sequence: 1 })
      expect(body['recorded_at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    })

    test('recorded_at is fixed once: it is the same in every place, also after a restart and a replay', async () => {
      const { bodyOf, eventWith } = await listening()
      const { event_id: eventId } = await publish(server, eventWith('{"n":1.0}'))
      const sent = await bodyOf(eventId)
      await server.crash()
      await post(server, `/v1/events/${eventId}/replay`)
      const stored = await request(server, 'GET', `/v1/events/${eventId}/body`)
      expect(stored.bytes.toString()).toBe(sent)
    })
  },
)
