import { createServer, type AddressInfo, type Socket } from 'node:net'

/*
 * A receiver in a process of its own that is not the bottleneck: it looks for the end of each request and answers 204, without
 * parsing HTTP. Argument: how many ports it listens on. Over IPC it is asked for what has arrived, and for how long after
 * `recorded_at` that was.
 */

const ANSWER = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
const RECORDED_AT = Buffer.from('"recorded_at":"')
const ISO_LENGTH = '2026-01-01T00:00:00.000Z'.length
let received = 0
let latencies: number[] = []

function lengthIn(head: string): number {
  return Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
}

function note(body: Buffer): void {
  received++
  const at = body.indexOf(RECORDED_AT)
  if (at === -1) return
  const start = at + RECORDED_AT.length
  latencies.push(Date.now() - Date.parse(body.toString('latin1', start, start + ISO_LENGTH)))
}

function serve(socket: Socket): void {
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
      note(rest.subarray(bodyStart, next))
      rest = rest.subarray(next)
      socket.write(ANSWER)
    }
  })
}

const count = Number(process.argv[2] ?? 1)
const ports = await Promise.all(
  Array.from({ length: count }, () => {
    const server = createServer({ noDelay: true }, serve)
    return new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  }),
)
process.on('message', () => {
  process.send?.({ received, latencies })
  latencies = []
})
process.on('disconnect', () => process.exit(0))
process.send?.(ports)
