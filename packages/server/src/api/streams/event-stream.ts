import { Buffer } from 'node:buffer'
import type { StreamedAnswer } from '../http/answer.ts'

/** One server-sent event (WHATWG HTML, section 9.2). */
export interface SentEvent {
  event: string
  /** Where to go on from, as `Last-Event-ID`. */
  id?: string
  /** JSON text: one line. */
  data: string
}

/** Why a stream is ended by the server; the last event tells, unless the reader has not even read so far. */
export type StreamEnd = 'stopping' | 'key_revoked' | 'too_slow' | 'replaced' | 'endpoint_gone'

/** How long a reader should wait before it comes again, ms. */
const RETRY_MS = 2000

/**
 * Server-sent events to one reader. What it has not read yet waits here, bounded: whoever sends is told when there is too much of it, and
 * decides. Costs nothing while nothing is sent.
 */
export class EventStream {
  readonly answer: StreamedAnswer
  readonly #maxBytes: number
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #onClose: (() => void)[] = []

  /** @param maxBytes what may wait for its reader */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        cancel: () => this.#closed(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maxBytes }),
    )
    const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }
    this.answer = { status: 200, headers, body }
    this.#write(`retry: ${RETRY_MS}\n\n`)
  }

  get isOpen(): boolean {
    return this.#controller !== null
  }

  /** Bytes that wait to be read. */
  get waiting(): number {
    return this.#controller === null ? 0 : this.#maxBytes - (this.#controller.desiredSize ?? 0)
  }

  /** `false`: too much waits, or it has ended, and nothing was sent. */
  send(event: SentEvent): boolean {
    if (this.waiting >= this.#maxBytes) return false
    return this.#write(textOf(event))
  }

  /** Something on the line, so that nothing between here and the reader takes it for dead. */
  beat(): void {
    if (this.waiting === 0) this.#write(': \n\n')
  }

  /** Tells why, and ends. */
  end(reason: StreamEnd): void {
    if (this.#controller === null) return
    this.#write(textOf({ event: 'end', data: JSON.stringify({ reason }) }))
    this.#controller.close()
    this.#closed()
  }

  /** Called once, however it ends; at once if it has. */
  onClose(run: () => void): void {
    if (this.isOpen) this.#onClose.push(run)
    else run()
  }

  #write(text: string): boolean {
    this.#controller?.enqueue(Buffer.from(text, 'utf8'))
    return this.#controller !== null
  }

  #closed(): void {
    this.#controller = null
    for (const run of this.#onClose.splice(0)) run()
  }
}

function textOf({ event, id, data }: SentEvent): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
}
