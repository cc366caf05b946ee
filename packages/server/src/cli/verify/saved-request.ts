import { CliError } from '../cli-error.ts'

/** A request as it came, or as somebody has kept it. */
export interface SavedRequest {
  headers: [name: string, value: string][]
  body: Uint8Array
  /** What is odd about the way it was kept. */
  notes: string[]
}

const LF = 0x0a
const CR = 0x0d
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const REQUEST_LINE = /^[A-Z]{3,10} \S+ HTTP\/[0-9.]{1,3}$/
const HEADER_LINE = /^(?<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?<value>.*?)[ \t]*$/

/**
 * Reads a request from a file: raw HTTP (a request line, headers, an empty line, the body), or JSON with `headers` and `body` or
 * `body_base64`, as the inbox of `runbell dev` lists what came.
 * @throws CliError where it is neither
 */
export function parseSavedRequest(bytes: Buffer): SavedRequest {
  const notes: string[] = []
  const content = withoutBom(bytes, notes)
  if (content[0] === 0x7b) return parseJsonRequest(content, notes)
  const head = headEnd(content)
  if (head === null) {
    throw new CliError(
      'the request has no empty line between its headers and its body: save it as it came, or give --headers and --body',
    )
  }
  const lines = content.subarray(0, head.end).toString('latin1').split(/\r?\n/)
  const headers = parseHeaderLines(REQUEST_LINE.test(lines[0] ?? '') ? lines.slice(1) : lines)
  return { headers, body: bodyOf(content.subarray(head.bodyStart), headers, notes), notes }
}

/**
 * Headers of a file of their own: lines, or a JSON object.
 * @throws CliError for a line that is none
 */
export function parseHeaders(bytes: Buffer): SavedRequest['headers'] {
  const text = withoutBom(bytes, []).toString('utf8').trim()
  if (text.startsWith('{')) return headersOfJson(parseJson(text))
  const lines = text.split(/\r?\n/)
  return parseHeaderLines(REQUEST_LINE.test(lines[0] ?? '') ? lines.slice(1) : lines)
}

/** @throws CliError for a line that is no header */
export function parseHeaderLines(lines: readonly string[]): SavedRequest['headers'] {
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const { groups } = HEADER_LINE.exec(line) ?? {}
      if (groups === undefined) {
        throw new CliError(`"${line.slice(0, 40).replaceAll(/\p{C}/gu, '')}" is not a header: write name: value`)
      }
      return [groups['name'] as string, groups['value'] as string]
    })
}

function withoutBom(bytes: Buffer, notes: string[]): Buffer {
  if (!bytes.subarray(0, BOM.length).equals(BOM)) return bytes
  notes.push('The file begins with a byte order mark, which was left out.')
  return bytes.subarray(BOM.length)
}

/** Where the head ends and where the body starts; lines may end with LF alone, as editors save them. */
function headEnd(content: Buffer): { end: number; bodyStart: number } | null {
  for (let index = content.indexOf(LF); index !== -1; index = content.indexOf(LF, index + 1)) {
    const next = content[index + 1] === CR ? index + 2 : index + 1
    if (content[next] === LF) return { end: content[index - 1] === CR ? index - 1 : index, bodyStart: next + 1 }
  }
  return null
}

function bodyOf(bytes: Buffer, headers: SavedRequest['headers'], notes: string[]): Buffer {
  if (/chunked/i.test(valueOf(headers, 'transfer-encoding') ?? '')) return unchunked(bytes, notes)
  const length = valueOf(headers, 'content-length')
  if (length === null || !/^\d{1,9}$/.test(length)) return bytes
  const said = Number(length)
  if (bytes.length === said) return bytes
  if (bytes.length < said) {
    notes.push(`content-length says ${said} bytes and there are ${bytes.length}: the body was cut or changed.`)
    return bytes
  }
  // Editors end a file with a line break: the header knows better.
  if (/^[\r\n]*$/.test(bytes.subarray(said).toString('latin1'))) {
    notes.push(`The line break after the ${said} bytes of content-length was left out.`)
    return bytes.subarray(0, said)
  }
  notes.push(`content-length says ${said} bytes and there are ${bytes.length}: the body was changed.`)
  return bytes
}

/** RFC 9112, section 7.1; where it is not chunked after all, the bytes as they are. */
function unchunked(bytes: Buffer, notes: string[]): Buffer {
  const chunks: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = lineEnd === -1 ? null : /^([0-9a-f]{1,6})(?:;.*)?$/i.exec(bytes.toString('latin1', at, lineEnd))
    if (size === null) break
    const length = Number.parseInt(size[1] as string, 16)
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = lineEnd + 2 + length + 2
  }
  if (chunks.length > 0) notes.push('The body is chunked and its last chunk is missing: it was cut.')
  return chunks.length > 0 ? Buffer.concat(chunks) : bytes
}

function valueOf(headers: SavedRequest['headers'], name: string): string | null {
  return headers.find(([known]) => known.toLowerCase() === name)?.[1] ?? null
}

function parseJsonRequest(content: Buffer, notes: string[]): SavedRequest {
  const parsed = parseJson(content.toString('utf8'))
  const listed = (parsed as { data?: unknown }).data
  const saved = (Array.isArray(listed) ? listed[0] : parsed) as Record<string, unknown> | undefined
  if (Array.isArray(listed) && listed.length > 1) notes.push(`Of ${listed.length} requests the first was taken.`)
  const { headers, body, body_base64: encoded } = saved ?? {}
  if (typeof encoded === 'string')
    return { headers: headersOfJson(headers), body: Buffer.from(encoded, 'base64'), notes }
  if (typeof body === 'string') return { headers: headersOfJson(headers), body: Buffer.from(body), notes }
  throw new CliError(
    'the JSON has no "headers" with a "body" or "body_base64" that is text: save the request as it came',
  )
}

function headersOfJson(headers: unknown): SavedRequest['headers'] {
  if (Array.isArray(headers)) return headers.flatMap((pair: unknown) => (isPair(pair) ? [pair] : []))
  return Object.entries(headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: unknown): [string, string] => [name, String(one)]),
  )
}

function isPair(pair: unknown): pair is [string, string] {
  return Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string'
}

function parseJson(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below.
  }
  throw new CliError('it begins like JSON and is none: save the request as it came, headers, empty line, body')
}
