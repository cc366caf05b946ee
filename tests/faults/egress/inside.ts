import { connect, createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  SELF_SIGNED_CERTIFICATE,
  SELF_SIGNED_KEY,
} from '../../../packages/server/test/hostile-receivers/self-signed.ts'
import { call, startServer, ADMIN_KEY, type ServerProcess } from '../../support/server-process.ts'
import { until } from '../../support/until.ts'
import { ALLOWED, CANARIES, LITERALS, NAMES, PORTS, PUBLIC, type Findings } from './hosts.ts'
import { startNameServer } from './name-server.ts'

/*
 * Runs in a network of its own, where every address below is one of this machine. Prints what was accepted where, as one line of JSON.
 */

const accepted: Record<string, number> = {}

/** Listens on one address and counts who comes. */
function listen(server: Server, host: string, port: number): Promise<void> {
  server.on('connection', () => (accepted[host] = (accepted[host] ?? 0) + 1))
  return new Promise((resolve, reject) => void server.on('error', reject).listen({ host, port }, resolve))
}

async function openListeners(): Promise<void> {
  for (const host of CANARIES) {
    for (const port of PORTS)
      await listen(
        createServer((socket) => socket.destroy()),
        host,
        port,
      )
  }
  const tls = { cert: SELF_SIGNED_CERTIFICATE, key: SELF_SIGNED_KEY }
  for (const host of PUBLIC) {
    await listen(
      createTlsServer(tls, (_request, response) => response.end('ok')),
      host,
      443,
    )
  }
  for (const host of ALLOWED) {
    await listen(
      createTlsServer(tls, (_request, response) => response.end('ok')),
      host,
      443,
    )
  }
}

/** Creates an endpoint and publishes to it; answers with what came of it. */
async function tryUrl(server: ServerProcess, url: string, type: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url, event_types: [type] }),
  })
  const body = (await answer.json()) as { id: string; code?: string }
  if (answer.status !== 201) return `refused: ${body.code}`
  const event = { type, agent: { id: 'egress' }, data: { n: 1 } }
  const { event_id: id } = await call<{ event_id: string }>(server, 'POST', '/v1/events', event)
  const { data } = await until(
    `the delivery to ${url} has ended`,
    () => call<{ data: { id: string; status: string }[] }>(server, 'GET', `/v1/events/${id}/deliveries`),
    (page) => page.data[0]?.status !== 'pending',
  )
  const [delivery] = data
  const attempts = await call<{ data: { outcome: string }[] }>(server, 'GET', `/v1/deliveries/${delivery?.id}/attempts`)
  return [delivery?.status, ...attempts.data.map(({ outcome }) => outcome)].join(' ')
}

/** The same through a change of an endpoint that is in order. */
async function tryChange(server: ServerProcess, url: string, type: string): Promise<string> {
  const made = { url: 'https://public.receiver.test/', event_types: [type] }
  const { id } = await call<{ id: string }>(server, 'POST', '/v1/endpoints', made)
  const { status } = await fetch(`${server.url}/v1/endpoints/${id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  })
  await call(server, 'DELETE', `/v1/endpoints/${id}`)
  return `changed: ${status}`
}

/** The same through a test of an endpoint, which sends at once. */
async function tryTest(server: ServerProcess, url: string): Promise<string> {
  const { id } = await call<{ id: string }>(server, 'POST', '/v1/endpoints', { url, event_types: ['acme.*.*'] })
  const { attempt } = await call<{ attempt: { outcome: string } }>(server, 'POST', `/v1/endpoints/${id}/test`)
  await call(server, 'DELETE', `/v1/endpoints/${id}`)
  return attempt.outcome
}

function takesConnections(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 443 })
    socket.on('error', () => resolve(false))
    socket.on('connect', () => resolve(socket.destroy().destroyed))
  })
}

const folder = await mkdtemp(join(tmpdir(), 'runbell-egress-'))
const ca = join(folder, 'ca.pem')
await writeFile(ca, SELF_SIGNED_CERTIFICATE)
await openListeners()
const names = await startNameServer(NAMES, '127.0.0.53')
const server = await startServer(folder, {
  NODE_EXTRA_CA_CERTS: ca,
  RUNBELL_RETRY_SCHEDULE: '50ms,50ms',
  RUNBELL_LOG_LEVEL: 'error',
  RUNBELL_EGRESS_ALLOW: '10.1.0.0/16,169.254.0.0/16,127.0.0.0/30,allowed.receiver.test',
})
const findings: Findings = { names: {}, literals: {}, changes: {}, tests: {}, accepted: {}, listening: [], own: '' }
let number = 0
const nextType = () => `acme.thing${++number}.happened`
for (const name of Object.keys(NAMES)) findings.names[name] = await tryUrl(server, `https://${name}/`, nextType())
for (const name of Object.keys(NAMES)) {
  findings.tests[name] = await tryTest(server, `https://${name}/`)
}
for (const host of LITERALS) {
  findings.literals[host] = await tryUrl(server, `https://${host}/`, nextType())
  findings.changes[host] = await tryChange(server, `https://${host}/`, nextType())
}
findings.own = await tryUrl(server, server.url.replace('http:', 'https:'), nextType())
await server.end('SIGTERM')
findings.accepted = { ...accepted }
for (const host of CANARIES) if (await takesConnections(host)) findings.listening.push(host)
names.close()
await rm(folder, { recursive: true })
process.stdout.write(`${JSON.stringify(findings)}\n`, () => process.exit(0))
