import type { IncomingMessage } from 'node:http'

/** `aborted`: the client went away before the end, and nobody waits for an answer. */
export type BodyRead = { kind: 'read'; bytes: Uint8Array } | { kind: 'too_large' } | { kind: 'aborted' }

const EMPTY = new Uint8Array(0)

/** Whether the announced length is above the limit, so that nothing needs to be read. */
function announcesMore(contentLength: string | null | undefined, maxBytes: number): boolean {
  return contentLength != null && Number(contentLength) > maxBytes
}

/**
 * Reads the body of a bare `node:http` request; stops, without an error, where it passes `maxBytes`.
 * @param beforeReading called only where anything is read: time to tell a client that waits for `100 Continue`
 */
export function readIncoming(
  incoming: IncomingMessage,
  maxBytes: number,
  beforeReading: () => void,
): Promise<BodyRead> {
  if (announcesMore(incoming.headers['content-length'], maxBytes)) return Promise.resolve({ kind: 'too_large' })
  beforeReading()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const finish = (result: BodyRead) => {
      incoming.off('data', onData)
      resolve(result)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBytes) finish({ kind: 'too_large' })
      else chunks.push(chunk)
    }
    incoming.on('data', onData)
    incoming.once('end', () => {
      // One chunk is the usual case, and needs no copy.
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)
      finish({ kind: 'read', bytes })
    })
    incoming.once('error', () => finish({ kind: 'aborted' }))
    incoming.once('close', () => finish({ kind: 'aborted' }))
  })
}

/** Bytes of an unwanted body that are still read, so that the client can finish writing and see the answer. */
const MAX_DISCARD = 16 * 1024 * 1024

/** Lets the rest of a refused body pass; cuts the connection where it does not come to an end. */
export function discardRest(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return
  let left = MAX_DISCARD
  incoming.on('error', () => undefined)
  incoming.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) incoming.destroy()
  })
  incoming.resume()
}

/** Reads the body of a fetch `Request`, up to `maxBytes`. */
export async function readRequest(request: Request, maxBytes: number): Promise<BodyRead> {
  if (announcesMore(request.headers.get('content-length'), maxBytes)) return { kind: 'too_large' }
  if (request.body === null) return { kind: 'read', bytes: EMPTY }
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > maxBytes) return { kind: 'too_large' }
      chunks.push(chunk)
    }
  } catch {
    return { kind: 'aborted' }
  }
  return { kind: 'read', bytes: chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length) }
}
