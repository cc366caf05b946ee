import type { Socket } from 'node:net'

/** What a receiver does with a request: each is one way to be a bad peer. */
export type Behaviour = (socket: Socket) => void

/** Answers with a status and a short body, keeping the connection. */
export function answer(status: number, body = '', headers: readonly string[] = []): Behaviour {
  const lines = [`HTTP/1.1 ${status} Status`, `content-length: ${Buffer.byteLength(body)}`, ...headers]
  return (socket) => void socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Writes these bytes and nothing more. */
export function write(bytes: string): Behaviour {
  return (socket) => void socket.write(bytes, 'latin1')
}

/** Reads the request and never answers. */
export const hang: Behaviour = () => {}

/** Ends the connection with RST. */
export const reset: Behaviour = (socket) => void socket.resetAndDestroy()

/** Repeats `part` every few milliseconds after `start` until the connection is gone. */
export function drip(start: string, part: string, everyMs = 5): Behaviour {
  return (socket) => {
    socket.write(start)
    const timer = setInterval(() => socket.write(part), everyMs)
    socket.on('close', () => clearInterval(timer))
  }
}

/** Headers without an end, a byte at a time. */
export const dripHeaders: Behaviour = drip('HTTP/1.1 200 OK\r\n', 'x')

/** A chunked body without an end, a byte at a time. */
export const dripBody: Behaviour = drip('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n')

/** Sends `part` as fast as it is taken, up to `total` bytes. */
export function flood(start: string, part: Buffer, total = Number.POSITIVE_INFINITY): Behaviour {
  return (socket) => {
    let sent = 0
    const more = (): void => {
      while (sent < total && !socket.destroyed) {
        sent += part.length
        if (!socket.write(part)) return
      }
    }
    socket.write(start)
    socket.on('drain', more)
    more()
  }
}

/** A body of 5 GB that says so. */
export const hugeBody: Behaviour = flood(
  'HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n',
  Buffer.alloc(65_536, 'x'),
)

/** A body without an end that does not say so. */
export const endlessChunks: Behaviour = flood(
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
  Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`),
)

/** The same in chunks of one byte. */
export const endlessTinyChunks: Behaviour = flood(
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
  Buffer.from('1\r\nx\r\n'.repeat(10_000)),
)

/** Status line and headers, then RST once they are on their way. */
export const resetAfterHeaders: Behaviour = (socket) => {
  socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\npartial', () => socket.resetAndDestroy())
}

/** `count` bytes of headers. */
export function hugeHeaders(count: number, status = 200): Behaviour {
  const line = `x-filler: ${'v'.repeat(1000)}\r\n`
  return write(`HTTP/1.1 ${status} OK\r\n${line.repeat(Math.ceil(count / line.length))}\r\n`)
}
