/** What happened to a body, besides what the SDK's verification finds out by itself. */
export type FurtherChange =
  | 'trimmed'
  | 'padded'
  | 'base64_encoded'
  | 'json_string'
  | 'json_reserialised'
  | 'unicode_form'

export const FURTHER_CHANGES: Readonly<Record<FurtherChange, string>> = {
  trimmed: 'white space at its beginning or end was removed',
  padded: 'white space was put before it or after it',
  base64_encoded: 'it was encoded as base64, as gateways do, and not decoded',
  json_string: 'it was put into a JSON string and not taken out again',
  json_reserialised:
    'its JSON was parsed and stringified: the spaces, escapes or line breaks of its data are other ones',
  unicode_form: 'its accented letters were written in another Unicode form',
}

interface Candidate {
  change: FurtherChange
  original: Buffer
}

/**
 * What the body may have been before. A server must not try so much for anybody who sends a wrong signature; somebody who asks on
 * their own machine may.
 */
export function* furtherOriginals(body: Uint8Array): Generator<Candidate> {
  const text = Buffer.from(body).toString('utf8')
  const of = (change: FurtherChange, original: string): Candidate => ({ change, original: Buffer.from(original) })
  const trimmed = text.trim()
  if (trimmed !== text) {
    yield of('padded', trimmed)
    yield of('padded', text.trimStart())
    yield of('padded', text.trimEnd())
  }
  for (const tail of ['\r\n', '\n\n', ' ', '\t']) yield of('trimmed', text + tail)
  for (const head of ['\n', '\r\n', ' ']) {
    yield of('trimmed', head + text)
    yield of('trimmed', `${head}${text}\n`)
  }
  if (/^[A-Za-z0-9+/_-]{8,}={0,2}\s*$/.test(text))
    yield { change: 'base64_encoded', original: Buffer.from(text, 'base64') }
  for (const form of ['NFC', 'NFD'] as const) {
    const other = text.normalize(form)
    if (other !== text) yield of('unicode_form', other)
  }
  yield* parsedOriginals(trimmed, of)
}

function* parsedOriginals(
  text: string,
  of: (change: FurtherChange, original: string) => Candidate,
): Generator<Candidate> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return
  }
  if (typeof value === 'string') return yield of('json_string', value)
  if (typeof value !== 'object' || value === null) return
  for (const print of PRINTERS) {
    yield of('json_reserialised', print(value))
    const inEnvelope = envelopeAround(value, print)
    if (inEnvelope !== null) yield of('json_reserialised', inEnvelope)
  }
}

/** As languages print JSON where nobody says otherwise. */
const PRINTERS: readonly ((value: unknown) => string)[] = [
  (value) => JSON.stringify(value),
  (value) => spaced(value),
  (value) => ascii(spaced(value)),
  (value) => ascii(JSON.stringify(value)),
  (value) => JSON.stringify(value).replaceAll('/', '\\/'),
  (value) => ascii(JSON.stringify(value)).replaceAll('/', '\\/'),
  (value) => JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape),
  (value) => JSON.stringify(value, null, 2),
  (value) => JSON.stringify(value, null, 4),
  (value) => JSON.stringify(value, null, '\t'),
]

/** Runbell writes the envelope without white space, and in it `data`, last, as its producer has printed it. */
function envelopeAround(value: object, print: (value: unknown) => string): string | null {
  if (Object.keys(value).at(-1) !== 'data') return null
  const { data, ...envelope } = value as Record<string, unknown>
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${print(data)}}`
}

/** With a space after each colon and comma. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`)
    .join(', ')}}`
}

function ascii(text: string): string {
  return text.replaceAll(/[\u007f-\uffff]/g, unicodeEscape)
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
