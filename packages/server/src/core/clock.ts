/** Everything that needs the time takes it from here, so that a simulation can hold it still. */
export interface Clock {
  /** Service time in ms: never goes back, and does not follow wild jumps of the wall clock (details 26). */
  now(): number
  /** Wall clock in ms since the epoch: for signatures, which receivers compare with their own clock. */
  wall(): number
  /** Ms from an arbitrary start: for time-outs and leases. */
  monotonic(): number
  /** Runs `run` once after `ms`; the answer takes it back. */
  after(ms: number, run: () => void): () => void
}

/** Everything that needs chance takes it from here. */
export interface RandomSource {
  bytes(length: number): Uint8Array
  /** From 0 (inclusive) to 1 (exclusive). */
  fraction(): number
}
