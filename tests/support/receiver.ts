import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that a receiver got. */
export interface Received {
  headers: IncomingHttpHeaders
  body: Buffer
  /** `webhook-id`. */
  eventId: string
}

export interface Receiver {
  url: string
  received: Received[]
  /** Resolves when the condition holds; it is looked at after each request. */
  until(condition: (received: Received[]) => boolean): Promise<void>
  close(): Promise<void>
}

/**
 * A receiver on loopback that keeps all it gets.
 * @param answer the status for the n-th request, from 0; `null` never answers
 */
export async function startReceiver(answer: (index: number, request: Received) => number | null): Promise<Receiver> {
  const received: Received[] = []
  const waiting = new Set<{ condition: (received: Received[]) => boolean; resolve: () => void }>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const entry = {
        headers: request.headers,
        body: Buffer.concat(chunks),
        eventId: String(request.headers['webhook-id']),
      }
      const status = answer(received.push(entry) - 1, entry)
      if (status !== null) response.writeHead(status).end()
      for (const waiter of waiting) {
        if (!waiter.condition(received)) continue
        waiting.delete(waiter)
        waiter.resolve()
      }
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    until: (condition) =>
      condition(received) ? Promise.resolve() : new Promise((resolve) => waiting.add({ condition, resolve })),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
