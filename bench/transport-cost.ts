/**
 * CPU microseconds per send of the delivery transport, beside raw `Agent.dispatch` and `fetch`: 64 in flight over
 * 16 loopback origins, a 1,024-byte body, five headers, the receiver in a process of its own. Rounds are interleaved;
 * read the ratios, the machine drifts.
 *
 *     node --conditions=runbell-source bench/transport-cost.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, fetch } from 'undici'
import { createEgressPolicy } from '../packages/server/src/delivery/egress-policy.ts'
import { createTransport } from '../packages/server/src/delivery/transport.ts'

const IN_FLIGHT = 64
const ORIGINS = 16
const SENDS = 12_000
const ROUNDS = 7
const BODY = Buffer.alloc(1024, 'x')
const HEADERS: [string, string][] = [
  ['content-type', 'application/json'],
  ['user-agent', 'runbell'],
  ['webhook-id', 'evt_0192f0c1'],
  ['webhook-timestamp', '1760000000'],
  ['webhook-signature', 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4='],
]

const RECEIVER = `
const { createServer } = require('node:http')
const ports = []
for (let i = 0; i < ${ORIGINS}; i++) {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => { response.writeHead(204); response.end() })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => {
    ports.push(server.address().port)
    if (ports.length === ${ORIGINS}) process.stdout.write(JSON.stringify(ports))
  })
}`

type Send = (url: string, origin: string) => Promise<unknown>

function agentSend(): Send {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  const headers = [...HEADERS, ['accept-encoding', 'identity']].flat()
  return (_url, origin) =>
    new Promise((resolve, reject) => {
      let status = 0
      agent.dispatch(
        { origin, path: '/hook', method: 'POST', headers, body: BODY },
        {
          onRequestStart: () => {},
          onResponseStart: (_controller, statusCode) => void (status = statusCode),
          onResponseData: () => {},
          onResponseEnd: () => resolve(status),
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
}

function transportSend(): Send {
  const transport = createTransport({ egress: createEgressPolicy({ devLoopback: true }) })
  return async (url) => {
    const outcome = await transport.send({ url, headers: HEADERS, body: BODY, timeoutMs: 15_000 })
    if (outcome.kind !== 'response') throw new Error(JSON.stringify(outcome))
  }
}

const fetchSend: Send = async (url) => {
  const response = await fetch(url, { method: 'POST', headers: HEADERS, body: BODY, redirect: 'manual' })
  await response.arrayBuffer()
}

async function round(send: Send, origins: readonly string[]): Promise<number> {
  const before = process.cpuUsage()
  let started = 0
  const worker = async (): Promise<void> => {
    while (started < SENDS) {
      const origin = origins[started++ % origins.length] ?? ''
      await send(`${origin}/hook`, origin)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / SENDS
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

const receiver = spawn(process.execPath, ['-e', RECEIVER], { stdio: ['ignore', 'pipe', 'inherit'] })
const [ports] = (await once(receiver.stdout, 'data')) as [Buffer]
const origins = (JSON.parse(ports.toString()) as number[]).map((port) => `http://127.0.0.1:${port}`)
const contenders: Record<string, Send> = { agent: agentSend(), transport: transportSend(), fetch: fetchSend }
const figures: Record<string, number[]> = { agent: [], transport: [], fetch: [] }
for (let i = 0; i <= ROUNDS; i++) {
  for (const [name, send] of Object.entries(contenders)) {
    const cost = await round(send, origins)
    if (i > 0) figures[name]?.push(cost) // The first round warms up.
  }
}
for (const [name, costs] of Object.entries(figures)) {
  const ratios = costs.map((cost, i) => cost / (figures['agent']?.[i] ?? 1))
  console.log(`${name.padEnd(10)} ${median(costs).toFixed(1)} us/send   ${median(ratios).toFixed(2)} x agent`)
}
receiver.kill()
process.exit(0)
