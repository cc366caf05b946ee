import { refused, type Refused } from './problem.ts'

/** How a body is to be read. */
export type BodyKind = 'json' | 'ndjson'

const NDJSON = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonl'])
const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/

/**
 * The kind of body a content type announces, or `null` for one that is not accepted.
 * JSON is UTF-8 (RFC 8259, section 8.1), so another charset is refused instead of being guessed at.
 */
export function bodyKind(contentType: string | null): BodyKind | null {
  if (contentType === null) return null
  if (contentType === 'application/json') return 'json'
  const [essence = '', ...parameters] = contentType.toLowerCase().split(';')
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.trim().split('=')
    if (name.trim() === 'charset' && !/^"?utf-?8"?$/.test(value.trim())) return null
  }
  const type = essence.trim()
  if (JSON_TYPE.test(type)) return 'json'
  return NDJSON.has(type) ? 'ndjson' : null
}

/** Bodies are taken as they are: a compressed one could unfold to any size. */
export function isEncoded(contentEncoding: string | null): boolean {
  return contentEncoding !== null && contentEncoding.trim().toLowerCase() !== 'identity'
}

/** @param accepted what the route takes, the usual first */
export function unsupportedMediaType(accepted: string, contentEncoding: string | null): Refused {
  const detail = `This route takes ${accepted}, in UTF-8 and without content-encoding.`
  if (isEncoded(contentEncoding)) {
    return refused('unsupported_media_type', detail, 'Send the body uncompressed, without the header content-encoding.')
  }
  return refused('unsupported_media_type', detail, `Send the header content-type: ${accepted.split(',')[0]}.`)
}

export function tooLarge(maxBytes: number): Refused {
  const detail = `The request body may have at most ${maxBytes} bytes.`
  return refused('payload_too_large', detail, 'Send less, or a reference to it instead of the content.')
}
