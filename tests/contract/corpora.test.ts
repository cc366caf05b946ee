import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectedOutcome } from '../../packages/server/test/json-corpus/reference.ts'
import { createEndpoint, get, newEventId, newType, post, request } from '../support/client.ts'
import { longestStall, WATCHED } from '../support/loop-probe.ts'
import { slowness } from '../support/machine-speed.ts'
import { shareServer, type SharedServer } from '../support/shared-server.ts'

// Public corpora, beside the repository and never in it.
const folder = fileURLToPath(new URL('../../../shared/data/', import.meta.url))
const suite = `${folder}JSONTestSuite/test_parsing`
const naughty = `${folder}naughty-strings/blns.json`

/** Valid by the grammar; refused because Runbell refuses equal names (contract, "Bytes"). */
const STRICTER = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json']
/** Allowed by the grammar, and deeper than the 32 levels an event may have. */
const TOO_DEEP = 'i_structure_500_nested_arrays.json'
/** Few: what arrives together is answered in one turn of the event loop, and the whole turn counts as one stall. */
const AT_ONCE = 4
const STALL_MS = 50

function isThere(path: string): boolean {
  if (existsSync(path)) return true
  console.warn(`skipped: ${path} is not there`)
  return false
}

/** Does something with each, some of them at once. */
async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of queue) await work(item)
    }),
  )
}

/** Whatever came before: nothing else had to wait for longer. */
function neverStalls(server: SharedServer): void {
  let before = 1
  beforeAll(() => {
    before = slowness()
  })
  test('the event loop was never held up for 50 ms', async () => {
    expect(await longestStall(server.process)).toBeLessThan(STALL_MS * Math.max(before, slowness()))
  })
}

/** What runs for the first time is compiled on the way, and is not looked at. */
async function warmUp(server: SharedServer): Promise<void> {
  const type = newType()
  for (let count = 0; count < 20; count++) {
    await request(server, 'POST', '/v1/events/batch', { body: [{ type, agent: { id: 'warm' }, data: { count } }] })
  }
  await longestStall(server.process)
}

describe.skipIf(!isThere(suite))('JSONTestSuite as the data of events', () => {
  const server = shareServer(WATCHED)
  const names = existsSync(suite) ? readdirSync(suite) : []
  const bytesOf = (name: string) => readFileSync(`${suite}/${name}`)
  beforeAll(() => warmUp(server))

  /** An event with these bytes in one field. */
  function around(type: string, eventId: string, value: Buffer): Buffer {
    const head = `{"event_id":"${eventId}","type":"${type}","agent":{"id":"corpus"},"data":{"v":`
    return Buffer.concat([Buffer.from(head), value, Buffer.from('}}')])
  }

  test('what is valid is accepted in one field and delivered byte for byte', async () => {
    const type = newType()
    const receiver = await server.receiver(() => 204)
    await createEndpoint(server, receiver.url, type)
    const valid = names.filter((name) => name.startsWith('y_') && !STRICTER.includes(name))
    expect(valid).toHaveLength(93)
    const sent = new Map<string, Buffer>()
    await each(valid, async (name) => {
      const eventId = newEventId('corpus')
      const { status, bytes } = await request(server, 'POST', '/v1/events', {
        body: around(type, eventId, bytesOf(name)),
      })
      expect([name, status, status === 202 ? '' : bytes.toString()]).toEqual([name, 202, ''])
      sent.set(eventId, Buffer.concat([Buffer.from('"data":{"v":'), bytesOf(name), Buffer.from('}}')]))
    })
    await receiver.until((received) => received.length === sent.size)
    for (const { eventId, body } of receiver.received) {
      const end = sent.get(eventId) ?? Buffer.alloc(0)
      expect(body.subarray(-end.length).equals(end)).toBe(true)
    }
  })

  test('what is not valid is 400, all of it, and names that come twice', async () => {
    const type = newType()
    const invalid = names.filter((name) => name.startsWith('n_'))
    expect(invalid).toHaveLength(188)
    await each([...invalid, ...STRICTER], async (name) => {
      const body = around(type, newEventId('corpus'), bytesOf(name))
      const { status } = await request(server, 'POST', '/v1/events', { body })
      expect([name, status]).toEqual([name, 400])
    })
    expect((await get<{ data: unknown[] }>(server, `/v1/events?type=${type}`)).data).toEqual([])
  })

  test('what the grammar leaves open is accepted or refused as the scanner documents it', async () => {
    const type = newType()
    await each(
      names.filter((name) => name.startsWith('i_')),
      async (name) => {
        const bytes = bytesOf(name)
        const { status } = await request(server, 'POST', '/v1/events', {
          body: around(type, newEventId('corpus'), bytes),
        })
        expect([name, status]).toEqual([name, expectedOutcome(bytes) === 'ok' && name !== TOO_DEEP ? 202 : 400])
      },
    )
  })

  neverStalls(server)
})

describe.skipIf(!isThere(naughty))('the big list of naughty strings', () => {
  const server = shareServer(WATCHED)
  const strings = existsSync(naughty) ? (JSON.parse(readFileSync(naughty, 'utf8')) as string[]) : []
  beforeAll(() => warmUp(server))
  const event = (type: string, change: Record<string, unknown>) => {
    return { type, agent: { id: 'naughty' }, data: { v: 1 }, ...change }
  }

  interface Result {
    event_id: string
    status: string
    warnings?: { code: string }[]
    problem?: { code: string; status: number; errors: { path: string }[] }
  }

  async function batch(items: readonly unknown[]): Promise<Result[]> {
    return (await post<{ results: Result[] }>(server, '/v1/events/batch', items)).results
  }

  test('survives in data, as a value and as a name', async () => {
    const type = newType()
    expect(strings.length).toBeGreaterThan(500)
    const results = await batch(strings.map((text) => event(type, { data: { v: text } })))
    const masked = results.filter(({ warnings }) => warnings?.some(({ code }) => code === 'credential_masked'))
    expect(masked.length).toBeLessThanOrEqual(2)
    const kept = results.map(({ event_id: eventId }, index) => [eventId, strings[index]] as const)
    await each(kept, async ([eventId, text]) => {
      if (masked.some(({ event_id }) => event_id === eventId)) return
      const { data } = await get<{ data: { v: string } }>(server, `/v1/events/${eventId}`)
      expect(data.v).toBe(text)
    })
    const names = await batch(strings.map((text) => event(type, { data: { [text]: 1 } })))
    for (const [index, { status, problem }] of names.entries()) {
      expect([strings[index], status, problem?.code]).toEqual([strings[index], 'accepted', undefined])
    }
  })

  test.each([
    'type',
    'event_id',
    'timestamp',
    'tenant_id',
    'run_id',
    'task_id',
    'conversation_id',
    'trace_id',
    'causation_id',
    'expires_at',
    'mode',
    'schema_version',
    'idempotency_key',
  ])('in %s is taken or refused with the place', async (field) => {
    const type = newType()
    for (const [index, { status, problem }] of (
      await batch(strings.map((text) => event(type, { [field]: text })))
    ).entries()) {
      if (status !== 'rejected') continue
      const places = problem?.errors.map(({ path }) => path)
      expect([strings[index], problem?.status, places]).toEqual([strings[index], 422, [`/${field}`]])
    }
  })

  test('in the agent, the metadata and a summary is taken or refused with the place', async () => {
    const type = newType()
    const summary = (text: string) => ({ title: text, status: 'queued' })
    const shapes: [string, (text: string) => unknown][] = [
      ['/agent', (text) => event(type, { agent: { id: text } })],
      ['/agent', (text) => event(type, { agent: { id: 'a', name: text, version: text } })],
      ['/metadata', (text) => event(type, { metadata: { key: text } })],
      ['/metadata', (text) => event(type, { metadata: { [text]: 'value' } })],
      ['/data', (text) => ({ type: 'agent.task.created', agent: { id: 'a' }, task_id: 't', data: summary(text) })],
      ['', (text) => event(type, { [text]: 1 })],
    ]
    for (const [place, shape] of shapes) {
      const results = await batch(strings.map(shape))
      for (const [index, { status, problem }] of results.entries()) {
        if (status !== 'rejected') continue
        expect([strings[index], problem?.status]).toEqual([strings[index], 422])
        for (const { path } of problem?.errors ?? []) expect(path.startsWith(place)).toBe(true)
      }
    }
  })

  neverStalls(server)
})
