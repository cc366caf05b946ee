import { PROBLEMS, type Problem } from '@runbell/sdk/contract'
import { jsonAnswer, type Answer } from '../http/answer.ts'
import type { OtlpEncoding } from './otlp-body.ts'

export interface PartialSuccess {
  /** Spans or log records that were not stored. */
  rejected: number
  /** `''`: there is nothing to say. */
  message: string
}

const PROTOBUF = 'application/x-protobuf'

/**
 * The answer to a request that was taken. `partial_success` is there only where something is to be said (OTLP 1.x, "Partial Success"):
 * with `rejected` 0 it is a warning. Senders do not repeat what was taken in part.
 * @param rejectedName `rejectedSpans` or `rejectedLogRecords`: the same number in protobuf
 */
export function takenAnswer(
  encoding: OtlpEncoding,
  rejectedName: string,
  { rejected, message }: PartialSuccess,
): Answer {
  const isWhole = rejected === 0 && message === ''
  if (encoding === 'json') {
    // 64-bit integers are texts in protobuf's JSON.
    const partialSuccess = { ...(rejected === 0 ? {} : { [rejectedName]: String(rejected) }), errorMessage: message }
    return jsonAnswer(200, isWhole ? {} : { partialSuccess })
  }
  const partial = Buffer.concat([rejected === 0 ? NONE : integerField(1, rejected), textField(2, message)])
  return protobufAnswer(200, isWhole ? NONE : bytesField(1, partial), {})
}

/** A problem as a `google.rpc.Status`, for those who sent protobuf and read nothing else (OTLP/HTTP, "Failures"). */
export function statusAnswer({ status, headers, body }: Answer): Answer {
  const { detail, suggested_fix, code } = JSON.parse(String(body)) as Problem
  const { 'content-type': _, ...rest } = headers
  const message = `${detail} ${suggested_fix}`
  const bytes = Buffer.concat([integerField(1, rpcCodeOf(PROBLEMS[code].status)), textField(2, message)])
  return protobufAnswer(status, bytes, rest)
}

function protobufAnswer(status: number, bytes: Buffer, headers: Record<string, string>): Answer {
  return { status, headers: { ...headers, 'content-type': PROTOBUF }, body: new Uint8Array(bytes) }
}

/** Codes of gRPC for statuses of HTTP (`google/rpc/code.proto`). */
function rpcCodeOf(status: number): number {
  const codes: Record<number, number> = { 401: 16, 403: 7, 404: 5, 429: 8, 503: 14, 507: 8, 500: 13 }
  return codes[status] ?? 3
}

const NONE = Buffer.alloc(0)

function integerField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function textField(field: number, text: string): Buffer {
  return text === '' ? NONE : bytesField(field, Buffer.from(text, 'utf8'))
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes])
}

/** @param value below 2^31 */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
