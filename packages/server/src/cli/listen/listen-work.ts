import { HEADERS } from '@runbell/sdk/contract'
import { EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { targetUrl } from '../target-url.ts'
import type { RelayedAttempt, RelayOutcome } from './forward.ts'
import { listenAsRelay } from './relay-session.ts'

export interface ListenOptions extends ServerOptions {
  events?: string[]
  json?: boolean
}

/** Until Ctrl-C, which removes the endpoint. */
export async function listen(to: string, options: ListenOptions): Promise<number> {
  const target = targetUrl(to)
  const { api, url } = findServer(options)
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const screen = createScreen(process.stdout)
  const tell = (text: string) => void process.stderr.write(`${text}\n`)
  const asJson = options.json === true
  try {
    await listenAsRelay(api, {
      target,
      eventTypes: options.events,
      signal: stopping.signal,
      onReady({ id, secret }) {
        if (asJson) printLine(JSON.stringify({ kind: 'ready', endpoint_id: id, secret: secret ?? null, target }))
        else tell(`Events of ${url} go to ${target}, signed with ${secret ?? id}; Ctrl-C removes ${id}.`)
      },
      onAttempt: (attempt) => (asJson ? undefined : screen.line(attemptLine(attempt))),
      onOutcome(attempt, outcome) {
        if (asJson) printLine(JSON.stringify({ kind: 'attempt', ...factsOf(attempt), outcome }))
        else screen.line(screen.paint(isTaken(outcome) ? 'green' : 'red', outcomeLine(attempt, outcome)))
      },
      onTrouble: (message) => tell(`runbell: ${message}`),
    })
    return EXIT.ok
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function factsOf({ attempt_id: id, delivery_id: delivery, number, headers, body_base64: body }: RelayedAttempt) {
  const event = headers[HEADERS.id] ?? null
  return { attempt_id: id, delivery_id: delivery, number, event_id: event, bytes: Buffer.byteLength(body, 'base64') }
}

function attemptLine(attempt: RelayedAttempt): string {
  const { event_id: event, number, bytes } = factsOf(attempt)
  return `${now()}  →  ${typeOf(attempt).padEnd(28)}  ${event}  attempt ${number}, ${bytes} bytes`
}

function outcomeLine(attempt: RelayedAttempt, { status_code: status, error, duration_ms: ms }: RelayOutcome): string {
  return `${now()}  ←  ${typeOf(attempt).padEnd(28)}  ${status ?? error}, ${ms} ms`
}

function isTaken({ status_code: status }: RelayOutcome): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function now(): string {
  return new Date().toTimeString().slice(0, 8)
}

/** What came over the network must not steer the terminal. */
function typeOf({ body_base64: body }: RelayedAttempt): string {
  try {
    const { type } = JSON.parse(Buffer.from(body, 'base64').toString()) as { type?: unknown }
    return typeof type === 'string' ? type.replaceAll(/\p{C}/gu, '').slice(0, 100) : 'an event'
  } catch {
    return 'an event'
  }
}
