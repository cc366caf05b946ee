import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { PATIENCE_MS } from './until.ts'

/** One request that a receiver got. */
export interface Received {
  headers: IncomingHttpHeaders
  body: Buffer
  /** `webhook-id`. */
  eventId: string
  /** When its last byte arrived; `performance.now()`. */
  at: number
}

/** A status; `null` never answers, `reset` ends the connection with RST. */
export type Reply =
  | number
  | null
  | 'reset'
  | { status: number; headers?: Record<string, string>; body?: string | Buffer }

export interface Receiver {
  url: string
  received: Received[]
  /**
   * Resolves when the condition holds; it is looked at after each request.
   * @throws Error when it does not come to hold within `patienceMs`
   */
  until(condition: (received: Received[]) => boolean, patienceMs?: number): Promise<void>
  close(): Promise<void>
}

interface Waiter {
  condition: (received: Received[]) => boolean
  resolve: () => void
}

/**
 * A receiver on loopback that keeps all it gets.
 * @param answer the reply to the n-th request, from 0
 */
export async function startReceiver(
  answer: (index: number, request: Received) => Reply | Promise<Reply>,
): Promise<Receiver> {
  const received: Received[] = []
  const waiting = new Set<Waiter>()
  const server = createServer((request, response) => {
    void readRequest(request).then(async (entry) => {
      const reply = answer(received.push(entry) - 1, entry)
      for (const waiter of waiting) {
        if (!waiter.condition(received)) continue
        waiting.delete(waiter)
        waiter.resolve()
      }
      send(response, await reply)
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    until(condition, patienceMs = PATIENCE_MS * 4) {
      if (condition(received)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const waiter = { condition, resolve: settle }
        const late = setTimeout(() => {
          waiting.delete(waiter)
          reject(new Error(`after ${patienceMs} ms and ${received.length} requests the condition does not hold`))
        }, patienceMs)
        function settle() {
          clearTimeout(late)
          resolve()
        }
        waiting.add(waiter)
      })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function readRequest(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  request.on('error', () => {})
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => {
    request.on('end', () => {
      const { headers } = request
      resolve({ headers, body: Buffer.concat(chunks), eventId: String(headers['webhook-id']), at: performance.now() })
    })
  })
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply === null) return
  if (reply === 'reset') response.socket?.resetAndDestroy()
  else if (typeof reply === 'number') response.writeHead(reply).end()
  else response.writeHead(reply.status, reply.headers).end(reply.body)
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
