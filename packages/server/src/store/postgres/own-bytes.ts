import type { AcceptBatch } from '../accept.ts'

/** The batch with bytes of its own: what the caller does with its buffers after the call is not seen. */
export function ownBytes(batch: AcceptBatch): AcceptBatch {
  const items = batch.items.map((item) => ({
    ...item,
    source: new Uint8Array(item.source),
    fingerprint: new Uint8Array(item.fingerprint),
    bodies: item.bodies.map((body) => ({ ...body, rest: new Uint8Array(body.rest) })),
  }))
  return { ...batch, items }
}
