import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PLANTED, plantedForms } from '../support/planted-secrets.ts'
import { createEndpoint, post, publish, request, untilDelivery } from '../support/client.ts'
import { shareServer } from '../support/shared-server.ts'

const ALL = ['operational', 'personal', 'prompt', 'message', 'document', 'tool_input', 'tool_output', 'memory']

/** Events that together have a free text field of every class: `text` goes into each of them. */
function eventsWith(text: string, run: string): Record<string, unknown>[] {
  const agent = { id: 'refund-agent', name: text, version: text.slice(0, 64) }
  const base = { agent, run_id: run, metadata: { note: text }, conversation_id: text }
  const call = { tool_call_id: 'call_1', tool: { name: 'lookup', server: text } }
  return [
    {
      ...base,
      type: 'agent.run.started',
      data: {
        status: 'running',
        input: { prompt: text, deep: [{ text }] },
        initiated_by: { type: 'user', display: text },
      },
    },
    {
      ...base,
      type: 'agent.tool_call.completed',
      data: { status: 'completed', ...call, summary: text, input: [text], output: { text } },
    },
    { ...base, type: 'agent.message.sent', data: { status: 'sent', message_id: 'm1', channel: 'chat', content: text } },
    {
      ...base,
      type: 'agent.memory.updated',
      data: { status: 'completed', memory_store_id: 's', operation: 'created', record_count: 1, records: [text] },
    },
    {
      ...base,
      type: 'agent.artifact.created',
      data: { artifact_id: 'a1', status: 'completed', media_type: 'text/plain', name: text, content: text },
    },
    { ...base, type: 'acme.note.taken', data: { text, inner: { text: `{"nested":"${text}"}` } } },
  ]
}

describe('fifteen planted secrets in fields of every class', () => {
  const server = shareServer({ RUNBELL_LOG_LEVEL: 'debug', RUNBELL_RETRY_SCHEDULE: '100ms' })

  test('reach no receiver, no log, no API answer and no database file, raw, base64 or hex', async () => {
    const receiver = await server.receiver(() => 204)
    await post(server, '/v1/event-types', {
      type: 'acme.note.taken',
      fact: 'Somebody took a note.',
      schema: { type: 'object', 'x-data-class': 'public' },
      examples: [{ text: 'x' }],
    })
    const { id } = await createEndpoint(server, receiver.url, '*', { data_classes: ALL })
    const answers: Buffer[] = []
    const accepted: string[] = []
    for (const [index, { secret, kind }] of PLANTED.entries()) {
      for (const event of eventsWith(`before ${secret} after`, `run-${index}`)) {
        const { bytes, status, json } = await request<{ event_id: string; warnings: { code: string }[] }>(
          server,
          'POST',
          '/v1/events',
          { body: event },
        )
        expect(status, `${kind} in ${String(event['type'])}: ${bytes.toString()}`).toBe(202)
        expect(
          json.warnings.map(({ code }) => code),
          kind,
        ).toContain('credential_masked')
        answers.push(bytes)
        accepted.push(json.event_id)
      }
      // What is refused is not quoted either: not where it is wrong, and not where it may not stand.
      for (const wrong of [
        { tenant_id: secret },
        { type: 'agent.run.queued', data: { status: secret } },
        { data: secret },
      ]) {
        const event = { type: 'acme.note.taken', agent: { id: 'a' }, run_id: 'r', data: {}, ...wrong }
        answers.push((await request(server, 'POST', '/v1/events', { body: event })).bytes)
      }
    }
    expect(accepted).toHaveLength(PLANTED.length * 6)
    for (const eventId of accepted) await untilDelivery(server, eventId)
    expect(receiver.received).toHaveLength(accepted.length)

    for (const path of ['/v1/events?limit=100', '/v1/deliveries?limit=100', `/v1/endpoints/${id}`, '/openapi.json']) {
      answers.push((await request(server, 'GET', path)).bytes)
    }
    for (const eventId of accepted) {
      answers.push((await request(server, 'GET', `/v1/events/${eventId}`)).bytes)
      answers.push((await request(server, 'GET', `/v1/events/${eventId}/body?endpoint_id=${id}`)).bytes)
    }
    const files = await Promise.all(
      (await readdir(server.dataDir)).map((name) => readFile(join(server.dataDir, name)).catch(() => Buffer.alloc(0))),
    )
    expect(files.reduce((sum, file) => sum + file.length, 0)).toBeGreaterThan(100_000)
    const places: [string, Buffer][] = [
      [
        'a receiver',
        Buffer.concat(receiver.received.flatMap(({ body, headers }) => [body, Buffer.from(JSON.stringify(headers))])),
      ],
      ['an answer of the API', Buffer.concat(answers)],
      ['the log', Buffer.from(server.process.log())],
      ['the database', Buffer.concat(files)],
    ]
    for (const { secret, kind } of PLANTED) {
      for (const [form, bytes] of plantedForms(secret)) {
        for (const [place, content] of places)
          expect(content.includes(bytes), `${kind}, ${form}, in ${place}`).toBe(false)
      }
    }
  })

  test('a text without one is delivered as it is', async () => {
    const receiver = await server.receiver(() => 204)
    await createEndpoint(server, receiver.url, 'agent.task.created', { data_classes: ALL })
    const { event_id: eventId, warnings } = await publish(server, {
      type: 'agent.task.created',
      agent: { id: 'a' },
      task_id: 't',
      data: { status: 'queued', title: 'Reset the password of order 7781' },
    })
    expect(warnings).toEqual([])
    await receiver.until((received) => received.some((one) => one.eventId === eventId))
    expect(receiver.received[0]?.body.toString()).toContain('Reset the password of order 7781')
  })
})
