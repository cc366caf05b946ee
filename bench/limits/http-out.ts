import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { Agent } from 'undici'
import type { Receiver } from '../receiver/receiver.ts'

const IN_FLIGHT = 64
const BODY = Buffer.alloc(1024, 'x')
const KEY = createSecretKey(randomBytes(32))

/** B3: CPU microseconds to sign 1 KB and send it, `Agent.dispatch`, 64 in flight over the receiver's origins. */
export async function measureHttpOut({ origins }: Receiver, seconds: number): Promise<number> {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  await send(agent, origins, 0.3)
  const before = process.cpuUsage()
  const sent = await send(agent, origins, seconds)
  const { user, system } = process.cpuUsage(before)
  await agent.close()
  return (user + system) / sent
}

async function send(agent: Agent, origins: readonly string[], seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000
  let sent = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < until) await dispatch(agent, origins[sent++ % origins.length] as string, sent)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return sent
}

function dispatch(agent: Agent, origin: string, number: number): Promise<void> {
  const id = `evt_0192f0c18e7c${number}`
  const timestamp = '1760000000'
  const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.`).update(BODY).digest('base64')
  const headers = ['content-type', 'application/json', 'user-agent', 'bare', 'webhook-id', id]
  headers.push('webhook-timestamp', timestamp, 'webhook-signature', `v1,${signature}`)
  return new Promise((resolve, reject) => {
    agent.dispatch(
      { origin, path: '/hook', method: 'POST', headers, body: BODY },
      {
        onRequestStart: () => {},
        onResponseStart: () => {},
        onResponseData: () => {},
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}
