import { createServer, type AddressInfo, type Socket } from 'node:net'
import { monotonicMs } from '../machine/monotonic.ts'
import { EVENT_NUMBER, NUMBER_DIGITS } from '../load/events.ts'
import type { Arrivals, Count, Behaviour, Question } from './receiver.ts'

/*
 * A receiver in a process of its own that is not the bottleneck: it looks for the end of each request and answers 204, without
 * parsing HTTP. Argument: how many ports it listens on. Over IPC it is asked for what has arrived, and told how its ports behave.
 */

const ANSWERS: Record<Exclude<Behaviour, 'hang'>, Buffer> = {
  answer: Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'),
  fail: Buffer.from('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n'),
}
const HEAD_END = Buffer.from('\r\n\r\n')
const RECORDED_AT = Buffer.from('"recorded_at":"')
const ISO_LENGTH = '2026-01-01T00:00:00.000Z'.length
const NUMBER = Buffer.from(EVENT_NUMBER)

const count = Number(process.argv[2] ?? 1)
const behaviours: Behaviour[] = Array.from({ length: count }, () => 'answer')
const answeredBy = Array.from({ length: count }, () => 0)
let received = 0
let connections = 0
let [firstAt, lastAt] = [Number.NaN, Number.NaN]
let arrivals: { numbers: number[]; at: number[]; sinceRecorded: number[] } = { numbers: [], at: [], sinceRecorded: [] }

function lengthIn(head: string): number {
  return Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
}

/** Of events that bear a number it is kept when they arrived; the others are counted. */
function note(body: Buffer, port: number): void {
  received++
  lastAt = monotonicMs()
  if (Number.isNaN(firstAt)) firstAt = lastAt
  answeredBy[port] = (answeredBy[port] ?? 0) + 1
  const marked = body.indexOf(NUMBER)
  if (marked === -1) return
  const digits = marked + NUMBER.length
  arrivals.numbers.push(Number(body.toString('latin1', digits, digits + NUMBER_DIGITS)))
  arrivals.at.push(lastAt)
  const at = body.indexOf(RECORDED_AT) + RECORDED_AT.length
  const recordedAt = Date.parse(body.toString('latin1', at, at + ISO_LENGTH))
  arrivals.sinceRecorded.push(performance.timeOrigin + performance.now() - recordedAt)
}

function serve(socket: Socket, port: number): void {
  connections++
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const end = rest.indexOf(HEAD_END)
      if (end === -1) return
      const bodyStart = end + HEAD_END.length
      const next = bodyStart + lengthIn(rest.toString('latin1', 0, end))
      if (rest.length < next) return
      const behaviour = behaviours[port] ?? 'answer'
      if (behaviour === 'answer') note(rest.subarray(bodyStart, next), port)
      rest = rest.subarray(next)
      if (behaviour !== 'hang') socket.write(ANSWERS[behaviour])
    }
  })
}

function answer(question: Question): unknown {
  if (question.ask === 'behave') {
    for (const port of question.ports) behaviours[port] = question.behaviour
    return null
  }
  if (question.ask === 'count') {
    return {
      received,
      answeredBy: Uint32Array.from(answeredBy),
      cpu: process.cpuUsage(),
      connections,
      firstAt,
      lastAt,
    } satisfies Count
  }
  firstAt = Number.NaN
  const taken: Arrivals = {
    numbers: Float64Array.from(arrivals.numbers),
    at: Float64Array.from(arrivals.at),
    sinceRecorded: Float64Array.from(arrivals.sinceRecorded),
  }
  arrivals = { numbers: [], at: [], sinceRecorded: [] }
  return taken
}

const ports = await Promise.all(
  Array.from({ length: count }, (_, port) => {
    const server = createServer({ noDelay: true }, (socket) => serve(socket, port))
    return new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  }),
)
process.on('message', (question: Question) => process.send?.(answer(question)))
process.on('disconnect', () => process.exit(0))
process.send?.(ports)
