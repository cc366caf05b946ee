import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { HEADERS } from '@runbell/sdk/contract'
import { createReceiver, type ReceiveAnswer, type Receiver } from '@runbell/sdk/receive'
import { VERIFY_FAILURES } from '@runbell/sdk/signing'
import type { Chaos } from './chaos.ts'
import { answerJson, listenOnLoopback, readBytes } from './loopback.ts'

/** What arrived once. */
export interface InboxEntry {
  received_at: string
  event_id: string | null
  type: string | null
  delivery_id: string | null
  attempt: number | null
  /** Whether the signature is the endpoint's. */
  verified: boolean
  /** Why it was not taken; `null`: it was. */
  reason: string | null
  /** The reason in words, with what to do. */
  explanation: string | null
  /** It came before, with the same id. */
  duplicate: boolean
  /** SHA-256 (hex) of the bytes that came. */
  body_sha256: string
  headers: IncomingHttpHeaders
  body: string
}

/** The built-in receiver of `runbell dev` (details 25): `POST /` takes events, `GET /` lists them, newest first. */
export interface Inbox {
  url: string
  /** Takes events that are signed with this secret; before the first call it answers 503. */
  trust(secret: string): void
  /** Oldest first. */
  entries(): readonly InboxEntry[]
  close(): Promise<void>
}

export const INBOX_ENTRIES = 1000
/** All bodies together, so that a thousand large events do not fill the memory. */
const INBOX_BYTES = 32 * 1024 * 1024
/** The most an event can have. */
const BODY_BYTES = 1024 * 1024 + 64 * 1024
const DEFAULT_LIMIT = 50

/** Later than the events after it, sooner than any deadline. */
const REORDER_MS = { least: 300, most: 1500 }

/** @param chaos faults that it shows on purpose */
export async function openInbox(chaos: Chaos | null = null): Promise<Inbox> {
  const entries: InboxEntry[] = []
  let bytes = 0
  let receiver: Receiver | null = null

  function keep(entry: InboxEntry): void {
    entries.push(entry)
    bytes += entry.body.length
    while (entries.length > INBOX_ENTRIES || (bytes > INBOX_BYTES && entries.length > 1)) {
      bytes -= (entries.shift() as InboxEntry).body.length
    }
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBytes(request, BODY_BYTES)
    if (body === null) return answerJson(response, 413, { detail: `The body has more than ${BODY_BYTES} bytes.` })
    if (receiver === null) return answerJson(response, 503, { detail: 'The inbox has no endpoint yet.' })
    const fault = chaos?.next() ?? null
    if (fault?.kind === 'status') return answerJson(response, fault.status, { detail: 'This is --chaos.' })
    // Whoever waits gives up by himself.
    if (fault?.kind === 'timeout') return
    if (fault?.kind === 'reorder') await wait(REORDER_MS.least + Math.random() * (REORDER_MS.most - REORDER_MS.least))
    const answer = await receiver.receive({ headers: request.headers, body })
    keep(entryOf(request.headers, body, answer))
    // Taken, and the answer lost: it comes again.
    if (fault?.kind === 'duplicate') return void response.destroy()
    answerJson(response, answer.status, answer.body)
  }

  const listener = await listenOnLoopback(async (request, response) => {
    // A page of a stranger whose name was pointed at this machine cannot read here.
    if (!isLoopbackHost(request.headers.host))
      return answerJson(response, 403, { detail: 'The inbox is for this machine alone.' })
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (pathname !== '/') return answerJson(response, 404, { detail: 'The inbox has one page: GET / and POST /.' })
    if (request.method === 'POST') return await take(request, response)
    if (request.method === 'GET') return list(response, entries, searchParams.get('limit'))
    answerJson(response, 405, { detail: 'The inbox knows GET and POST.' })
  })
  return {
    url: listener.url,
    trust(secret) {
      receiver = createReceiver({ secrets: secret, maxBodyBytes: BODY_BYTES }).on('*', () => {})
    },
    entries: () => entries,
    close: () => listener.close(),
  }
}

function isLoopbackHost(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host ?? '')
}

function list(response: ServerResponse, entries: readonly InboxEntry[], limitText: string | null): void {
  const limit = limitText === null ? DEFAULT_LIMIT : /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0
  if (limit < 1 || limit > INBOX_ENTRIES) {
    return answerJson(response, 400, { detail: `limit is a whole number from 1 to ${INBOX_ENTRIES}.` })
  }
  answerJson(response, 200, { data: entries.slice(-limit).reverse() })
}

function entryOf(headers: IncomingHttpHeaders, body: Buffer, answer: ReceiveAnswer): InboxEntry {
  const problem = 'code' in answer.body ? answer.body : null
  const attempt = Number(headers[HEADERS.attempt])
  return {
    received_at: new Date().toISOString(),
    event_id: textHeader(headers[HEADERS.id]),
    type: typeOf(body),
    delivery_id: textHeader(headers[HEADERS.deliveryId]),
    attempt: Number.isInteger(attempt) ? attempt : null,
    verified: problem === null || !(VERIFY_FAILURES as readonly string[]).includes(problem.code),
    reason: problem?.code ?? null,
    explanation: problem === null ? null : `${problem.message} ${problem.fix}`,
    duplicate: 'duplicate' in answer.body && answer.body.duplicate,
    body_sha256: createHash('sha256').update(body).digest('hex'),
    headers,
    body: body.toString(),
  }
}

function textHeader(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function typeOf(body: Buffer): string | null {
  try {
    const { type } = JSON.parse(body.toString()) as { type?: unknown }
    return typeof type === 'string' ? type : null
  } catch {
    return null
  }
}
