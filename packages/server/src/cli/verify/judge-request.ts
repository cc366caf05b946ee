import { HEADERS } from '@runbell/sdk/contract'
import { verifyWebhook, type BodyChange, type Verification, type VerifyFailureReason } from '@runbell/sdk/signing'
import { FURTHER_CHANGES, furtherOriginals, type FurtherChange } from './further-changes.ts'
import type { SavedRequest } from './saved-request.ts'

export interface Judging {
  secrets: readonly string[]
  toleranceSeconds?: number
  headerPrefix?: string
  /** When it is judged, in milliseconds since 1970; `sent`: at its own timestamp. */
  at: number | 'sent'
  /** The body as it was sent, where it is known. */
  sent?: Uint8Array | undefined
}

export interface Judged {
  verified: boolean
  event_id: string | null
  /** When the attempt was signed, RFC 3339. */
  sent_at: string | null
  /** Which of the secrets signed it, from 1. */
  secret_number: number | null
  reason: VerifyFailureReason | null
  likely_cause: BodyChange | FurtherChange | 'wrong_secret' | 'another_event' | null
  /** Whether a signature is right, whatever the time; `null`: it was not looked at. */
  signature_right: boolean | null
  message: string
  fix: string | null
}

/** A year 2286 in seconds: later than what anybody sends, as a Date can hold it. */
const LATEST_SECONDS = 9_999_999_999
const KEEP_RAW = 'Verify the bytes as they came, before anything reads, decodes or prints them.'

/**
 * Whether a request verifies, and why it does not, further than a server would look: the signature is checked also where the
 * time is over, and more is tried of what may have happened to the body.
 */
export async function judgeRequest(request: SavedRequest, judging: Judging): Promise<Judged> {
  const { headers, body } = request
  const { secrets, toleranceSeconds, headerPrefix } = judging
  const timestamp = timestampOf(request, headerPrefix)
  const sentMs = timestamp === null ? Date.now() : timestamp * 1000
  const verify = (bytes: Uint8Array, now: number) =>
    verifyWebhook({ headers, body: bytes, secrets, toleranceSeconds, headerPrefix, now: () => now })

  const facts = {
    event_id: headerOf(request, headerPrefix, 'id'),
    sent_at: timestamp === null ? null : new Date(sentMs).toISOString(),
  }
  const verification = await verify(body, judging.at === 'sent' ? sentMs : judging.at)
  if (verification.ok) return { ...facts, ...verifiedWith(verification.secretIndex) }
  if (isAboutTime(verification)) {
    const inTime = await verify(body, sentMs)
    const right = inTime.ok ? ' The signature itself is right.' : ` Besides, the signature is wrong. ${inTime.message}`
    return { ...facts, ...refusal(verification), signature_right: inTime.ok, message: verification.message + right }
  }
  if (verification.reason !== 'wrong_signature') return { ...facts, ...refusal(verification) }
  if (verification.likelyCause !== undefined) {
    return { ...facts, ...refusal(verification), signature_right: false, likely_cause: verification.likelyCause }
  }
  const explained = await explain(request, judging, (bytes) => verify(bytes, sentMs))
  return { ...facts, ...refusal(verification), signature_right: false, ...explained }
}

function verifiedWith(index: number): Omit<Judged, 'event_id' | 'sent_at'> {
  const message = 'A signature is right for these bytes.'
  return {
    ...{ verified: true, secret_number: index + 1, reason: null, likely_cause: null, signature_right: true },
    ...{ message, fix: null },
  }
}

function refusal(failure: Extract<Verification, { ok: false }>): Omit<Judged, 'event_id' | 'sent_at'> {
  const { reason, message, fix } = failure
  return { verified: false, secret_number: null, reason, likely_cause: null, signature_right: null, message, fix }
}

type Explained = Pick<Judged, 'likely_cause' | 'message' | 'fix'>

async function explain(
  request: SavedRequest,
  { sent }: Judging,
  verify: (bytes: Uint8Array) => Promise<Verification>,
): Promise<Explained | null> {
  const { body } = request
  if (sent !== undefined) return await explainBySent(body, sent, verify)
  const named = eventIdIn(body)
  const id = headerOf(request, undefined, 'id')
  if (named !== null && id !== null && named !== id) {
    const message = `The headers are of the event ${printable(id)} and the body is of ${printable(named)}: they belong to two requests.`
    return { likely_cause: 'another_event', message, fix: 'Keep headers and body of one request together.' }
  }
  const found = await findFurtherChange(body, verify)
  if (found === null) return null
  const { change, also } = found
  const and = also === undefined ? '' : `, and then ${also.replaceAll('_', ' ')}`
  const message = `The body was changed after it was signed: ${FURTHER_CHANGES[change]}${and}. The secret is right.`
  return { likely_cause: change, message, fix: KEEP_RAW }
}

async function findFurtherChange(
  body: Uint8Array,
  verify: (bytes: Uint8Array) => Promise<Verification>,
): Promise<{ change: FurtherChange; also?: BodyChange } | null> {
  try {
    for (const { change, original } of furtherOriginals(body)) {
      const verification = await verify(original)
      if (verification.ok) return { change }
      if (verification.likelyCause !== undefined) return { change, also: verification.likelyCause }
    }
  } catch (error) {
    // JSON nested deeper than any event.
    if (!(error instanceof RangeError)) throw error
  }
  return null
}

/** With the bytes that were sent nothing has to be guessed. */
async function explainBySent(
  body: Uint8Array,
  sent: Uint8Array,
  verify: (bytes: Uint8Array) => Promise<Verification>,
): Promise<Explained> {
  const same = Buffer.from(body).equals(sent)
  if (!(await verify(sent)).ok) {
    const bytes = same ? 'The bytes are those that were sent' : 'Neither these bytes nor those that were sent verify'
    const fix = 'Take the secret of this endpoint, in this mode; look whether it was rotated or revoked.'
    return { likely_cause: 'wrong_secret', message: `${bytes}, and no secret given here signed them.`, fix }
  }
  const at = firstDifference(body, sent)
  const message =
    `The body was changed after it was signed, from byte ${at} on: sent were ${excerpt(sent, at)}, here are ` +
    `${excerpt(body, at)}. The secret is right.`
  return { likely_cause: 'json_reserialised', message, fix: KEEP_RAW }
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  let at = 0
  while (at < one.length && at < other.length && one[at] === other[at]) at++
  return at
}

const EXCERPT_BYTES = 24

function excerpt(bytes: Uint8Array, at: number): string {
  if (at >= bytes.length) return 'no more bytes'
  return JSON.stringify(printable(Buffer.from(bytes.subarray(at, at + EXCERPT_BYTES)).toString('utf8')))
}

/** What came over the network must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function eventIdIn(body: Uint8Array): string | null {
  try {
    const { event_id: id } = JSON.parse(Buffer.from(body).toString('utf8')) as { event_id?: unknown }
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}

function isAboutTime({ reason }: Extract<Verification, { ok: false }>): boolean {
  return reason === 'timestamp_too_old' || reason === 'timestamp_in_future'
}

function headerOf({ headers }: SavedRequest, prefix: string | undefined, name: 'id' | 'timestamp'): string | null {
  const full = prefix === undefined ? HEADERS[name] : `${prefix.toLowerCase()}-${name}`
  return headers.find(([known]) => known.toLowerCase() === full)?.[1] ?? null
}

function timestampOf(request: SavedRequest, prefix: string | undefined): number | null {
  const text = headerOf(request, prefix, 'timestamp')
  const seconds = text !== null && /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  return seconds <= LATEST_SECONDS ? seconds : null
}
