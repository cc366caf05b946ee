import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { signedFixture, TEST_SECRET } from '@runbell/sdk/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
let folder: string
const servers: Server[] = []

beforeAll(async () => {
  // Inside the repository: only there are the packages found.
  folder = await mkdtemp(join(ROOT, '.examples-'))
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  vi.stubEnv('RUNBELL_SECRET', TEST_SECRET)
})
afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})

/** Runs an example of the page as it stands there. */
async function example(name: string): Promise<Record<string, unknown>> {
  const page = await readFile(join(ROOT, 'docs/sdk.md'), 'utf8')
  const code = page.split(`\`\`\`ts${name === '' ? '' : ` ${name}`}\n`)[1]?.split('```')[0]
  expect(code?.trim().split('\n').length).toBeLessThanOrEqual(14)
  const path = join(folder, `example${name}.ts`)
  await writeFile(path, code ?? '')
  return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function request(origin = 'http://localhost'): Promise<Request> {
  const { headers, body } = await signedFixture('agent.run.completed')
  return new Request(`${origin}/hooks`, { method: 'POST', headers, body })
}

it('the producer of the page tells a run', async () => {
  const types: string[] = []
  const url = await serve((incoming, response) => {
    let text = ''
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
    incoming.on('end', () => {
      const { type, event_id } = JSON.parse(text) as { type: string; event_id: string }
      types.push(type)
      response
        .writeHead(202)
        .end(JSON.stringify({ event_id, sequence: 1, duplicate: false, deliveries: 0, warnings: [] }))
    })
  })
  vi.stubEnv('RUNBELL_URL', url)
  vi.stubEnv('RUNBELL_API_KEY', 'rb_test_x')
  expect(await example('')).toMatchObject({ order: { id: '7781' } })
  expect(types.map((type) => type.slice('agent.'.length))).toEqual([
    'run.started',
    'tool_call.started',
    'tool_call.completed',
    'message.sent',
    'run.completed',
  ])
})

it('the receivers of the page take an event', async () => {
  const express = (await example('express'))['app'] as RequestListener
  expect((await fetch(await request(await serve(express)))).status).toBe(200)
  const { headers, body } = await signedFixture('agent.run.completed')
  const fastify = (await example('fastify'))['app'] as { inject(given: object): Promise<{ statusCode: number }> }
  expect((await fastify.inject({ method: 'POST', url: '/hooks', headers, payload: body })).statusCode).toBe(200)
  const hono = (await example('hono'))['app'] as { request(given: Request): Promise<Response> }
  expect((await hono.request(await request())).status).toBe(200)
  const worker = await example('worker')
  const { fetch: handle } = worker['app'] as { fetch(given: Request): Promise<Response> }
  expect((await handle(await request())).status).toBe(200)
  const lambda = worker['handler'] as (event: object) => Promise<{ statusCode: number }>
  expect((await lambda({ httpMethod: 'POST', headers, body })).statusCode).toBe(200)
})
