import { Runbell, type EmitError, type FetchFunction, type OwnSchemas, type RunbellOptions } from '../src/emit/index.ts'

export const KEY = 'rb_test_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_39bf43ad'
/** 2026-11-23T18:02:15.120Z */
export const NOW = 1_795_456_935_120

export interface PostedEvent {
  event_id: string
  type: string
  timestamp: string
  run_id?: string
  trace_id?: string
  agent: { id: string }
  data: Record<string, unknown>
}

type Answer = { status: number; headers?: Record<string, string>; body: unknown }
export type Reply = (request: { path: string; events: PostedEvent[] }) => Answer | 'broken' | Promise<Answer | 'broken'>

/** What the real one answers with: by event, or a result for each event of a batch. */
export const acceptAll: Reply = ({ path, events }) => {
  const accepted = events.map(({ event_id }) => ({ event_id, sequence: 1, deliveries: 1, warnings: [] }))
  if (!path.endsWith('/batch')) return { status: 202, body: { ...accepted[0], duplicate: false } }
  return { status: 202, body: { results: accepted.map((one) => ({ ...one, status: 'accepted' })) } }
}
export const away: Reply = () => 'broken'
export const refuseAll =
  (status: number, code: string, headers: Record<string, string> = {}): Reply =>
  () => ({ status, headers, body: { code, status, detail: code, retryable: status === 429 || status >= 500 } })

/** A server in place of `fetch`: what `reply` says, and what was posted, request by request. */
export function publishServer(reply: Reply = acceptAll) {
  const requests: { path: string; texts: string[]; events: PostedEvent[] }[] = []
  const world = { reply, requests, inFlight: 0, most: 0 }
  const fetch: FetchFunction = async (url, init) => {
    const path = new URL(url).pathname + new URL(url).search
    const parsed = init.body === undefined ? [] : (JSON.parse(init.body) as PostedEvent | PostedEvent[])
    const events = Array.isArray(parsed) ? parsed : [parsed]
    requests.push({ path, texts: [init.body ?? ''], events })
    world.inFlight++
    world.most = Math.max(world.most, world.inFlight)
    const aborted = new Promise<never>((_resolve, reject) => {
      const abort = () => reject(new DOMException('aborted', 'AbortError'))
      if (init.signal.aborted) abort()
      else init.signal.addEventListener('abort', abort, { once: true })
    })
    aborted.catch(() => undefined)
    try {
      const answer = await Promise.race([aborted, world.reply({ path, events })])
      if (answer === 'broken') throw new TypeError('fetch failed')
      return new Response(JSON.stringify(answer.body), { status: answer.status, headers: answer.headers ?? {} })
    } finally {
      world.inFlight--
    }
  }
  /** Every event that was posted, in order; again where it was tried again. */
  const posted = () => requests.flatMap(({ events }) => events)
  return Object.assign(world, { fetch, posted })
}

/** A Runbell with no wait between tries, and what it lost. */
export function runbellWith<Own extends OwnSchemas = {}>(
  server: { fetch: FetchFunction },
  options: Partial<RunbellOptions<Own>> = {},
) {
  const clock = { now: NOW }
  const lost: [code: string, type: string][] = []
  const errors: EmitError[] = []
  const runbell = new Runbell<Own>({
    url: 'http://runbell.test',
    key: KEY,
    defaultAgent: { id: 'refund-agent' },
    fetch: server.fetch,
    now: () => clock.now,
    random: () => 0.5,
    // Waits between tries are over at once; longer ones are deadlines, which no test reaches.
    sleep: (ms) => (ms < 5000 ? Promise.resolve() : new Promise(() => undefined)),
    onError: (error, { type }) => {
      errors.push(error)
      lost.push([error.code, type])
    },
    ...options,
  })
  return { runbell, lost, errors, clock }
}
