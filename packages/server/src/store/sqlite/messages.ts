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
  /** For `acceptEvents`: the sources of all items, one after another. */
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

export function describeError(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const described: ErrorMessage = { name: error.name, message: error.message }
  if (error.stack !== undefined) described.stack = error.stack
  // Extended result codes carry the primary one in their low byte.
  if ('errcode' in error && typeof error.errcode === 'number') described.sqlite = error.errcode & 0xff
  return described
}

/**
 * Packs the sources of a batch into one buffer that changes hands without a copy. A view of a larger buffer would
 * otherwise take the whole of that buffer with it, once for every message.
 */
export function packBatch(batch: AcceptBatch): { input: unknown; bytes: Uint8Array<ArrayBuffer> } {
  const total = batch.items.reduce((sum, { source }) => sum + source.length, 0)
  const bytes = new Uint8Array(total)
  let offset = 0
  const items = batch.items.map((item) => {
    bytes.set(item.source, offset)
    const packed = { ...item, source: item.source.length, fingerprint: item.fingerprint.slice() }
    offset += item.source.length
    return packed
  })
  return { input: { ...batch, items }, bytes }
}

export function unpackInput(request: Request): unknown {
  if (request.bytes === undefined) return request.input
  const batch = request.input as { items: { source: number }[] }
  let offset = 0
  const items = batch.items.map((item) => {
    const source = (request.bytes as Uint8Array).subarray(offset, offset + item.source)
    offset += item.source
    return { ...item, source }
  })
  return { ...batch, items }
}
