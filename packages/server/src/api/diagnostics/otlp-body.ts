import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { scanJson } from '../../core/json-scan.ts'
import type { JsonIndex } from '../../core/json-index.ts'
import { refusalOfJson } from '../http/json-refusal.ts'
import { Refused, refused } from '../http/problem.ts'
import { tooLarge } from '../http/content-type.ts'
import { DIAGNOSTIC_LIMITS, type IngestCall } from './ingest.ts'

/** How the body of an OTLP request is written. */
export type OtlpEncoding = 'json' | 'protobuf'

const inflate = promisify(gunzip)
/** Arrays and objects around a span are ten deep already. */
const JSON_DEPTH = 96
/** Members and elements in one request: some 30 an attribute-rich span takes a hundred of. */
const JSON_MEMBERS = 400_000
const PROTOBUF_TYPES = new Set(['application/x-protobuf', 'application/protobuf'])

export function otlpEncoding(contentType: string | null): OtlpEncoding | null {
  const [essence = ''] = (contentType ?? '').toLowerCase().split(';')
  if (PROTOBUF_TYPES.has(essence.trim())) return 'protobuf'
  return essence.trim() === 'application/json' ? 'json' : null
}

export function isGzip(contentEncoding: string | null): boolean {
  return contentEncoding?.trim().toLowerCase() === 'gzip'
}

/** The body, inflated where it is compressed; never more than may be. @throws Refused */
export async function otlpBytes({ bytes, header }: IngestCall): Promise<Uint8Array> {
  if (!isGzip(header('content-encoding'))) return bytes
  const { inflatedBytes } = DIAGNOSTIC_LIMITS
  try {
    return await inflate(bytes, { maxOutputLength: inflatedBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(inflatedBytes)
    throw refused(
      'malformed_json',
      'The body is not gzip, though content-encoding says so.',
      'Compress it, or leave content-encoding out.',
    )
  }
}

/** @throws Refused */
export function otlpJson(bytes: Uint8Array): JsonIndex {
  if (bytes.length > DIAGNOSTIC_LIMITS.jsonBytes) throw tooLarge(DIAGNOSTIC_LIMITS.jsonBytes)
  const scan = scanJson(bytes, { maxDepth: JSON_DEPTH, maxMembers: JSON_MEMBERS, decode: decodeChecked })
  if (!scan.ok) throw new Refused(refusalOfJson(scan.error))
  return scan.json
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws TypeError where the bytes are not UTF-8 */
export function decodeStrictly(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end))
}

/** Of bytes that the scanner has checked. */
function decodeChecked(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}
