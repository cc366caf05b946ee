import { PRODUCER_ID_PATTERN, TRACE_ID_PATTERN } from '@runbell/sdk/contract'
import type { JsonValue } from '../diagnostics/diagnostic.ts'
import { maskCredentials } from '../credentials/mask-credentials.ts'
import { SPAN_ID_PATTERN } from '../diagnostics/diagnostic.ts'
import type { Attributes } from './otlp-data.ts'

/** A W3C trace id, which has at least one digit that is not 0; else `null`. */
export function traceIdOf(hex: string): string | null {
  return TRACE_ID_PATTERN.test(hex) && !/^0+$/.test(hex) ? hex : null
}

export function spanIdOf(hex: string): string | null {
  return SPAN_ID_PATTERN.test(hex) && !/^0+$/.test(hex) ? hex : null
}

/** The first of these attributes that is a text fit to be an id, of the item before its resource. */
export function idOf(names: readonly string[], ...sources: readonly Attributes[]): string | null {
  for (const source of sources) {
    for (const name of names) {
      const value = source.get(name)
      if (typeof value === 'string' && PRODUCER_ID_PATTERN.test(value) && maskCredentials(value) === null) return value
    }
  }
  return null
}

// oxlint-disable-next-line no-control-regex -- these are the characters to refuse
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** A text that names somebody or something: 1 to 255 characters, no control characters. */
export function nameOf(value: JsonValue | undefined): string | null {
  if (typeof value !== 'string' || value === '' || value.length > 255 || CONTROL.test(value)) return null
  return maskCredentials(value) === null ? value : null
}

/** Nanoseconds as ms; `null`: before 1971, which is how a clock that was never set looks, or beyond what four digits of a year can name. */
export function msOf(nanos: bigint): number | null {
  const ms = Number(nanos / 1_000_000n)
  return ms >= 31_536_000_000 && ms <= 253_402_300_799_999 ? ms : null
}
