import { connect, type Socket } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * A kept-alive connection that posts one request after the other and reads no more of an answer than its status and its length: what the
 * generator takes of the machine is what the server does not get.
 */
export class Connection {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #waiting: { resolve(status: number): void; reject(error: Error): void } | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed a connection under way')))
  }

  static open(url: URL): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  /** @returns the status of the answer */
  post(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#waiting = null
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = this.#rest.indexOf(HEAD_END)
    if (end === -1) return
    const head = this.#rest.toString('latin1', 0, end)
    if (/transfer-encoding/i.test(head)) return this.#fail(new Error('answers in chunks are not read here'))
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    const next = end + HEAD_END.length + length
    if (this.#rest.length < next) return
    this.#rest = this.#rest.subarray(next)
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(Number(head.slice(9, 12)))
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = null
  }
}
