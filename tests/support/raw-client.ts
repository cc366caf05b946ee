import { connect, type Socket } from 'node:net'

/** What came back on a connection until it ended, or until `until` was seen in it. */
export interface RawAnswer {
  text: string
  /** The other side ended the connection. */
  closed: boolean
  ms: number
}

export interface RawOptions {
  /** Stops waiting once this is in what came back. */
  until?: RegExp
  /** Stops waiting anyhow. @default 5000 */
  patienceMs?: number
  /** Writes after the first bytes; what it writes may fail. */
  after?(socket: Socket): void
}

/** Sends bytes as they are, and collects what comes back. */
export function sendRaw(port: number, bytes: string | Uint8Array, options: RawOptions = {}): Promise<RawAnswer> {
  const { until, patienceMs = 5000, after } = options
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed, ms: performance.now() - startedAt })
    }
    const timer = setTimeout(() => finish(false), patienceMs)
    socket.on('error', () => {})
    socket.on('close', () => finish(true))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (until?.test(text) === true) finish(false)
    })
    socket.on('connect', () => {
      socket.write(bytes)
      after?.(socket)
    })
  })
}

/** Statuses of the answers in a text, in order. */
export function statusesOf({ text }: RawAnswer): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
