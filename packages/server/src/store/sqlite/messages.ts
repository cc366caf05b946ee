import type { AcceptBatch } from '../accept.ts'
import type { Verbs } from './verbs/context.ts'

export interface WorkerSettings {
  path: string
  role: 'writer' | 'reader'
}

export interface Request {
  id: number
  verb: keyof Verbs
  input: unknown
  /** For `acceptEvents`: the sources and bodies of all items, one after another. */
  bytes?: Uint8Array
}

/** `id` -1: opened; 0: closed. */
export interface Reply {
  id: number
  output?: unknown
  error?: ErrorMessage
}

export interface ErrorMessage {
  name: string
  message: string
  /** SQLite's primary result code, where it was SQLite. */
  sqlite?: number
  stack?: string
}

const FULL = 13
const IOERR_SHMSIZE = 4874

export function describeError(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const described: ErrorMessage = { name: error.name, message: error.message }
  if (error.stack !== undefined) described.stack = error.stack
  // Extended result codes carry the primary one in their low byte.
  if ('errcode' in error && typeof error.errcode === 'number') {
    // The index of the log could not grow: that, too, is a full disk.
    described.sqlite = error.errcode === IOERR_SHMSIZE ? FULL : error.errcode & 0xff
  }
  return described
}

/**
 * Packs the bytes of a batch into one buffer that changes hands without a copy. A view of a larger buffer would otherwise
 * take the whole of that buffer with it, once for every message.
 */
export function packBatch(batch: AcceptBatch): { input: unknown; bytes: Uint8Array<ArrayBuffer> } {
  let total = 0
  for (const { source, bodies } of batch.items) {
    total += source.length
    for (const { rest } of bodies) total += rest.length
  }
  const bytes = new Uint8Array(total)
  let offset = 0
  const pack = (part: Uint8Array): number => {
    bytes.set(part, offset)
    offset += part.length
    return part.length
  }
  const items = batch.items.map((item) => {
    const source = pack(item.source)
    const bodies = item.bodies.map((body) => ({ ...body, rest: pack(body.rest) }))
    return { ...item, source, bodies, fingerprint: item.fingerprint.slice() }
  })
  return { input: { ...batch, items }, bytes }
}

export function unpackInput(request: Request): unknown {
  const { bytes } = request
  if (bytes === undefined) return request.input
  const batch = request.input as { items: { source: number; bodies: { rest: number }[] }[] }
  let offset = 0
  const unpack = (length: number): Uint8Array => bytes.subarray(offset, (offset += length))
  const items = batch.items.map((item) => {
    const source = unpack(item.source)
    const bodies = item.bodies.map((body) => ({ ...body, rest: unpack(body.rest) }))
    return { ...item, source, bodies }
  })
  return { ...batch, items }
}
