import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { SELF_SIGNED_CERTIFICATE, SELF_SIGNED_KEY } from './self-signed.ts'

/** A receiver that speaks bytes, so that it can do everything wrong. */
export interface RawReceiver {
  port: number
  /** `http://127.0.0.1:<port>/hook` or `https://receiver.test:<port>/hook`. */
  url: string
  /** TCP connections accepted so far. */
  connections: number
  /** Requests read to their end, as text. */
  requests: string[]
  /** Bytes the kernel took from us so far. */
  bytesWritten(): number
  /** Resolves once every connection is gone, whoever ended it. */
  allGone(): Promise<void>
  close(): Promise<void>
}

export interface RawReceiverOptions {
  /** Runs for every complete request; `count` is its number on this connection, from 1. */
  onRequest?: (socket: Socket, count: number) => void
  /** Runs for every connection, before any byte. */
  onConnection?: (socket: Socket) => void
  /** With the self-signed certificate. */
  tls?: boolean
  host?: string
}

/** Listens on a free port of loopback. */
export async function startRawReceiver(options: RawReceiverOptions = {}): Promise<RawReceiver> {
  const sockets = new Set<Socket>()
  let written = 0
  let waiting: (() => void)[] = []
  const onSocket = (socket: Socket): void => {
    receiver.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      written += socket.bytesWritten
      sockets.delete(socket)
      if (sockets.size > 0) return
      for (const resolve of waiting) resolve()
      waiting = []
    })
    options.onConnection?.(socket)
    readRequests(socket, (text, count) => {
      receiver.requests.push(text)
      options.onRequest?.(socket, count)
    })
  }
  const server = options.tls
    ? createTlsServer({ cert: SELF_SIGNED_CERTIFICATE, key: SELF_SIGNED_KEY }, onSocket)
    : createServer(onSocket)
  server.on('tlsClientError', () => {})
  const port = await new Promise<number>((resolve) => {
    server.listen(0, options.host ?? '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  const receiver: RawReceiver = {
    port,
    url: options.tls ? `https://receiver.test:${port}/hook` : `http://127.0.0.1:${port}/hook`,
    connections: 0,
    requests: [],
    bytesWritten: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, written),
    allGone: () => new Promise((resolve) => (sockets.size === 0 ? resolve() : waiting.push(resolve))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return receiver
}

function readRequests(socket: Socket, onRequest: (text: string, count: number) => void): void {
  let pending = ''
  let count = 0
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1')
    for (;;) {
      const head = pending.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/content-length: (\d+)/i.exec(pending.slice(0, head))?.[1] ?? 0)
      const end = head + 4 + length
      if (pending.length < end) return
      const text = pending.slice(0, end)
      pending = pending.slice(end)
      count += 1
      onRequest(text, count)
    }
  })
}
