import { ADMIN_KEY } from './server-process.ts'
import { until } from './until.ts'

/** A server-sent event as it came. */
export interface StreamEvent {
  event: string
  id: string | null
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into data of every shape
  data: any
}

/** Reads server-sent events until it is closed. */
export interface OpenStream {
  status: number
  /** All that came so far. */
  events: StreamEvent[]
  /** The server has ended it, or the connection broke. */
  ended: Promise<void>
  /** Waits for so many of a kind, and answers with them. */
  untilEvents(event: string, count: number): Promise<StreamEvent[]>
  close(): void
}

export async function openStream(
  server: { readonly url: string },
  path: string,
  { key = ADMIN_KEY, headers = {} }: { key?: string; headers?: Record<string, string> } = {},
): Promise<OpenStream> {
  const closing = new AbortController()
  const response = await fetch(`${server.url}${path}`, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
    signal: closing.signal,
  })
  const events: StreamEvent[] = []
  const ended = read(response, events).catch(() => undefined)
  return {
    status: response.status,
    events,
    ended,
    untilEvents: (event, count) =>
      until(
        `${count} events ${event}`,
        async () => events.filter((one) => one.event === event),
        (found) => found.length >= count,
      ),
    close: () => closing.abort(),
  }
}

async function read(response: Response, events: StreamEvent[]): Promise<void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parse(block)
      if (event !== null) events.push(event)
    }
  }
}

/** `null`: a comment, or what is no event. */
function parse(block: string): StreamEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  const data = fields.get('data')
  if (data === undefined) return null
  return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data: JSON.parse(data) as unknown }
}
