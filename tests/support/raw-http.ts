import { connect, type Socket } from 'node:net'
import { PATIENCE_MS } from './until.ts'

/** One answer, read off the wire by hand: the client of Node would hide what a test of framing is about. */
export interface RawAnswer {
  status: number
  /** Lower-case names. */
  headers: Record<string, string>
  body: string
}

/** A connection that sends bytes as they are. */
export interface RawConnection {
  socket: Socket
  /** All that has come, as latin1. */
  text(): string
  /** Resolves with the first `count` answers; those with status 1xx count too. @throws Error when they do not come */
  answers(count: number): Promise<RawAnswer[]>
  /** Resolves with what has come when the server has closed. @throws Error when it does not */
  closed(): Promise<string>
}

export function openRaw(port: number, bytes: string | Buffer = ''): RawConnection {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  // The server may close while we are still writing.
  socket.on('error', () => undefined)
  socket.on('end', () => socket.destroy())
  if (bytes.length > 0) socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  const settle = <Value>(look: () => Value | null, what: string): Promise<Value> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${what} did not come; so far: ${text}`)), PATIENCE_MS)
      const check = () => {
        const value = look()
        if (value === null) {
          if (socket.destroyed) end(() => reject(new Error(`closed before ${what}: ${text}`)))
        } else end(() => resolve(value))
      }
      const end = (then: () => void) => {
        clearTimeout(late)
        socket.off('data', check).off('close', check)
        then()
      }
      socket.on('data', check).on('close', check)
      check()
    })
  return {
    socket,
    text: () => text,
    answers: (count) =>
      settle(() => {
        const all = parseAnswers(text)
        return all.length >= count ? all.slice(0, count) : null
      }, `${count} answers`),
    closed: () => settle(() => (socket.destroyed ? text : null), 'the end'),
  }
}

/** Sends, and reads until the server closes. */
export async function untilClosed(port: number, bytes: string | Buffer): Promise<RawAnswer[]> {
  return parseAnswers(await openRaw(port, bytes).closed())
}

/** Sends, reads this many answers and hangs up. */
export async function readAnswers(port: number, bytes: string | Buffer, count = 1): Promise<RawAnswer[]> {
  const connection = openRaw(port, bytes)
  const answers = await connection.answers(count)
  connection.socket.destroy()
  return answers
}

/** The whole answers in a text; of a part at its end nothing is said. */
export function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) break
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const length = Number(headers['content-length'] ?? 0)
    const body = rest.slice(end + 4, end + 4 + length)
    if (body.length < length) break
    answers.push({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? 0), headers, body })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}
