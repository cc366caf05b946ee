import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A forward proxy for tests: takes CONNECT and nothing else. */
export interface ConnectProxy {
  port: number
  /** What was asked for, each with the head of its request. */
  asked: { authority: string; head: string }[]
  close(): Promise<void>
}

/** @param answer to a CONNECT: a status, or text to send as it is; 200 opens the tunnel, to `127.0.0.1` whatever was asked for */
export async function startConnectProxy(
  answer: (authority: string) => number | string = () => 200,
): Promise<ConnectProxy> {
  const sockets = new Set<Socket>()
  const asked: ConnectProxy['asked'] = []
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    keep(socket)
    let head = ''
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', onData)
      const authority = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1] ?? ''
      asked.push({ authority, head })
      const what = answer(authority)
      if (what !== 200) return void socket.end(typeof what === 'string' ? what : `HTTP/1.1 ${what} No\r\n\r\n`)
      const upstream = keep(connect(Number(authority.split(':').at(-1)), '127.0.0.1'))
      upstream.on('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\nproxy-agent: test\r\n\r\n')
        socket.pipe(upstream).pipe(socket)
      })
    }
    socket.on('data', onData)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    port,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
