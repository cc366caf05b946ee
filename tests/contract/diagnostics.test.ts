import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DiagnosticView, DiagnosticsAccepted, Page } from '@runbell/sdk/contract'
import { expect, test } from 'vitest'
import { logsRequest, traceRequest } from '../../packages/server/test/otlp.ts'
import {
  createEndpoint,
  get,
  newEventId,
  publish,
  request,
  untilDelivery,
  anEvent,
  newType,
} from '../support/client.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const server = shareServer({ RUNBELL_RETRY_SCHEDULE: '100ms', RUNBELL_OTLP_EVENTS: 'on' })

/** Letters alone: it is not to be masked. */
const CANARY = 'quietly the canary sings of diagnostics'

test('no diagnostic reaches an endpoint: one that subscribes to everything and may see everything gets the event alone', async () => {
  const receiver = await server.receiver(() => 204)
  const classes = ['operational', 'personal', 'prompt', 'message', 'document', 'tool_input', 'tool_output', 'memory']
  const type = newType()
  await createEndpoint(server, receiver.url, '*', { data_classes: classes, event_types: ['*', type] })
  const one = (more: Record<string, unknown>) => ({ name: 'model.call', run_id: CANARY.split(' ')[0], ...more })
  const sent = [one({ message: CANARY, attributes: { note: CANARY, 'gen_ai.input.messages': [CANARY] } })]
  const tool = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'search',
    'gen_ai.tool.call.arguments': CANARY,
  }
  const failed = { error: CANARY, events: [{ name: 'exception', attributes: { 'exception.message': CANARY } }] }
  const spans = [
    { name: CANARY, attributes: { note: CANARY } },
    { spanId: 'b'.repeat(16), attributes: tool, ...failed },
  ]
  const bodies: [string, unknown, Record<string, string>][] = [
    ['/v1/diagnostics', sent, {}],
    ['/v1/diagnostics', `${JSON.stringify(sent[0])}\n`, { 'content-type': 'application/x-ndjson' }],
    ...(['json', 'protobuf'] as const).flatMap((encoding): [string, unknown, Record<string, string>][] => {
      const headers = { 'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf' }
      return [
        ['/v1/otlp/v1/traces', traceRequest(encoding, spans), headers],
        [
          '/v1/otlp/v1/logs',
          logsRequest(encoding, [{ body: CANARY, attributes: { 'gen_ai.output.messages': CANARY } }]),
          headers,
        ],
      ]
    }),
  ]
  for (const [path, body, headers] of bodies) {
    const { status } = await request(server, 'POST', path, { body, headers })
    expect([path, status]).toEqual([path, path.includes('otlp') ? 200 : 202])
  }
  const { data } = await get<Page<DiagnosticView>>(server, '/v1/diagnostics')
  expect(data).toHaveLength(bodies.length + 2)
  // The event was published after them: whatever they led to would be there before it.
  const eventId = newEventId()
  await publish(server, anEvent(type, { event_id: eventId }))
  await untilDelivery(server, eventId)
  // What a span is switched on to tell of comes to it as well, and nothing that was in the span's contents.
  await receiver.until((received) => received.length === 3)
  const got = receiver.received.map(({ body }) => body.toString())
  expect(got.map((body) => (JSON.parse(body) as { type: string }).type).toSorted()).toEqual(
    ['agent.tool_call.failed', 'agent.tool_call.started', type].toSorted(),
  )
  expect(got.join('')).not.toContain(CANARY)
  expect((await get<Page<unknown>>(server, '/v1/events')).data).toHaveLength(3)
  expect((await get<Page<unknown>>(server, '/v1/deliveries')).data).toHaveLength(3)
  expect(server.process.log()).not.toContain(CANARY)
})

test('what was answered is there after a crash, in a file of its own', async () => {
  const post = () =>
    request<DiagnosticsAccepted>(server, 'POST', '/v1/diagnostics', { body: [{ name: 'before.crash' }] })
  expect((await post()).status).toBe(202)
  await server.crash()
  const { data } = await get<Page<DiagnosticView>>(server, '/v1/diagnostics?name=before.crash')
  expect(data).toHaveLength(1)
  expect(existsSync(join(server.dataDir, 'diagnostics.db'))).toBe(true)
})

test('a reader that follows is told over HTTP, and does not keep the server from ending', async () => {
  const tail = await fetch(`${server.url}/v1/diagnostics/tail?name=told.live`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  expect(tail.headers.get('content-type')).toBe('text/event-stream')
  await request(server, 'POST', '/v1/diagnostics', { body: [{ name: 'told.live', message: 'now' }] })
  const reader = tail.body?.getReader()
  let heard = ''
  while (!heard.includes('told.live')) heard += Buffer.from((await reader?.read())?.value ?? []).toString()
  expect(heard).toMatch(/^id: .+\nevent: diagnostic\ndata: \{.*"message":"now"/m)
  // It is left open: the server ends in order all the same.
})
