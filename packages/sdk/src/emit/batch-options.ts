export interface BatchOptions {
  /** Events in a request, at most. 1 to 1000. @default 100 */
  maxEvents?: number
  /** Bytes of events in a request, at most; one that is larger goes alone. 1 or more. @default 1048576 (1 MiB) */
  maxBytes?: number
  /** How long an event waits for others, at most, in milliseconds. 0 or more. @default 20 */
  maxDelayMs?: number
}

export type BatchSettings = Readonly<Required<BatchOptions>>

/** A server takes 1,000 events and 5 MiB by default. */
const SERVER_MAX_EVENTS = 1000

/** @throws TypeError for a bound that cannot be */
export function readBatchOptions(options: boolean | BatchOptions): BatchSettings | null {
  if (options === false) return null
  const { maxEvents = 100, maxBytes = 1024 * 1024, maxDelayMs = 20 } = options === true ? {} : options
  if (!(maxEvents >= 1 && maxEvents <= SERVER_MAX_EVENTS)) throw new TypeError('batch.maxEvents is 1 to 1000')
  if (!(maxBytes >= 1)) throw new TypeError('batch.maxBytes is 1 or more')
  if (!(maxDelayMs >= 0)) throw new TypeError('batch.maxDelayMs is 0 or more')
  return Object.freeze({ maxEvents, maxBytes, maxDelayMs })
}
