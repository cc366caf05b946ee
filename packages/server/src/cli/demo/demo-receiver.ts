import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADERS } from '@runbell/sdk/contract'
import { createReceiver, type Receiver } from '@runbell/sdk/receive'
import { VERIFY_FAILURES, verifyWebhook } from '@runbell/sdk/signing'
import type { Told } from '../attempt-text.ts'
import { answerJson, listenOnLoopback, readBytes } from '../loopback.ts'

export interface DemoReceiverOptions {
  name: string
  eventTypes: string[]
  /** What is wrong with it, for people. */
  flaw?: string
  /** Answers 503 this often to the first event that comes, whichever it is. */
  busyFor?: number
  /** Its handler throws on this type until it is repaired. */
  failsOn?: string
}

/** Somebody else's system: a small HTTP server that receives with the SDK. */
export interface DemoReceiver extends DemoReceiverOptions {
  url: string
  /** Takes events that are signed with this secret. */
  trust(secret: string): void
  /** What it saw of an attempt. */
  told(deliveryId: string, attempt: number): Told | null
  repair(): void
  close(): Promise<void>
}

const BODY_BYTES = 1024 * 1024

export async function openDemoReceiver(options: DemoReceiverOptions): Promise<DemoReceiver> {
  const seen = new Map<string, Told>()
  let busyFor = options.busyFor ?? 0
  let firstId: unknown = null
  let failsOn = options.failsOn ?? null
  let receiver: Receiver | null = null
  let secret = ''

  async function answer(
    request: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; body: unknown; told: Omit<Told, 'sha256'> }> {
    const { headers } = request
    firstId ??= headers[HEADERS.id]
    if (busyFor > 0 && headers[HEADERS.id] === firstId) {
      busyFor--
      const verified = await verifyWebhook({ headers, body, secrets: secret })
      const told = { verified: verified.ok, reason: verified.ok ? null : verified.reason, duplicate: false }
      return { status: 503, body: { message: 'busy, come again' }, told }
    }
    const taken = await (receiver as Receiver).receive({ headers, body })
    const code = 'code' in taken.body ? taken.body.code : null
    const verified = code === null || !(VERIFY_FAILURES as readonly string[]).includes(code)
    const duplicate = 'duplicate' in taken.body && taken.body.duplicate
    return { status: taken.status, body: taken.body, told: { verified, reason: verified ? null : code, duplicate } }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBytes(request, BODY_BYTES)
    if (body === null || receiver === null) return answerJson(response, 413, {})
    const { status, body: answered, told } = await answer(request, body)
    const sha256 = createHash('sha256').update(body).digest('hex')
    seen.set(`${String(request.headers[HEADERS.deliveryId])} ${String(request.headers[HEADERS.attempt])}`, {
      ...told,
      sha256,
    })
    answerJson(response, status, answered)
  }

  const listener = await listenOnLoopback(handle)
  return {
    ...options,
    url: listener.url,
    trust(given) {
      secret = given
      // Its handlers fail on purpose, so there is nothing to report.
      receiver = createReceiver({ secrets: given, onError: () => {} }).on('*', (event) => {
        if (event.type === failsOn) throw new Error('the field refund is missing in the database')
      })
    },
    told: (deliveryId, attempt) => seen.get(`${deliveryId} ${attempt}`) ?? null,
    repair() {
      failsOn = null
    },
    close: () => listener.close(),
  }
}
