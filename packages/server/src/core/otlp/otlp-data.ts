import type { JsonValue } from '../diagnostics/diagnostic.ts'

/** By name; of a name that comes twice the last one counts. */
export type Attributes = ReadonlyMap<string, JsonValue>

/** A span as OTLP has it, from either encoding (opentelemetry-proto 1.x, `trace.proto`). */
export interface OtlpSpan {
  resource: Attributes
  /** Hex digits as they came; `''` where there were none. */
  traceId: string
  spanId: string
  /** `''`: it is the root of its trace. */
  parentSpanId: string
  name: string
  /** `SpanKind`. */
  kind: number
  startNanos: bigint
  endNanos: bigint
  attributes: Attributes
  events: readonly { name: string; attributes: Attributes }[]
  /** `Status.code`; 2 is an error. */
  statusCode: number
  statusMessage: string
}

/** A log record as OTLP has it (`logs.proto`). */
export interface OtlpLog {
  resource: Attributes
  traceId: string
  spanId: string
  /** When it happened, or else when it was seen; 0: neither is known. */
  timeNanos: bigint
  /** `SeverityNumber`, 1 to 24; 0: not said. */
  severityNumber: number
  eventName: string
  body: JsonValue
  attributes: Attributes
}

/** What a request holds at most. */
export interface OtlpLimits {
  /** Spans, or log records. */
  items: number
  /** Attributes, elements of lists and events in all: each costs memory, whatever it holds. */
  values: number
}

/** Lists and maps in one another inside a value. */
export const MAX_VALUE_DEPTH = 32

/** A request that cannot be read; `too_large`: it holds more than it may. */
export class OtlpError extends Error {
  readonly code: 'malformed' | 'too_large'

  constructor(code: 'malformed' | 'too_large', message: string) {
    super(message)
    this.name = 'OtlpError'
    this.code = code
  }
}

/** Counts what a request holds. @throws OtlpError where it is too much */
export class OtlpCount {
  readonly #limits: OtlpLimits
  #items = 0
  #values = 0

  constructor(limits: OtlpLimits) {
    this.#limits = limits
  }

  item(): void {
    if (++this.#items > this.#limits.items) {
      throw new OtlpError('too_large', `a request may have at most ${this.#limits.items} spans or log records`)
    }
  }

  value(): void {
    if (++this.#values > this.#limits.values) {
      throw new OtlpError('too_large', `a request may have at most ${this.#limits.values} attributes and values`)
    }
  }
}

/** A 64-bit integer as a number where that says the same, else as text: JSON's readers have no more digits. */
export function integerValue(value: bigint): number | string {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
}

/** Bytes are not kept: nobody can say what is in them. */
export function bytesValue(length: number): string {
  return `(${length} bytes)`
}
