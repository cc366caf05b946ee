import { randomInt } from 'node:crypto'
import { spawn } from 'node:child_process'
import type { EndpointView } from '@runbell/sdk/contract'
import type { ApiClient } from './api-client.ts'
import { targetUrl } from './target-url.ts'
import type { Screen } from './screen.ts'
import { publish } from './trigger/publish.ts'
import { planStory, type PlannedEvent } from './trigger/story-plan.ts'

/** A terminal's keyboard, as far as it is needed: `process.stdin`. */
export interface Keyboard {
  on(event: 'data', listener: (data: Buffer) => void): unknown
  off(event: 'data', listener: (data: Buffer) => void): unknown
  resume(): unknown
  pause(): unknown
  setRawMode(raw: boolean): unknown
}

export interface KeyTarget {
  api: ApiClient
  runbell: { url: string }
}

const HELP = [
  't  publish the next event of an agent’s run',
  's  publish the rest of the run',
  'f  forward every event to a server of yours on this machine',
  'o  open the server in a browser',
  '?  this',
  'q  stop, like Ctrl-C',
]
const CTRL_C = '\u0003'
const ENTER = /[\r\n]/
const BACKSPACE = ['\b', '\u007f']

/** Keys of `runbell dev`; the terminal is given back by `close`. */
export function listenToKeys(
  input: Keyboard,
  screen: Screen,
  server: KeyTarget,
  hooks: { stop?: () => void; open?: (url: string) => void } = {},
): { close(): void; settled(): Promise<void> } {
  const { stop = () => void process.kill(process.pid, 'SIGINT'), open = openInBrowser } = hooks
  const teller = createTeller(server.api)
  /** What is being typed after `f`; `null`: keys are commands. */
  let typed: string | null = null
  let work: Promise<void> = Promise.resolve()

  /** One after the other, and none ends the program. */
  const run = (action: () => Promise<void>) => {
    work = work.then(action).catch((error: unknown) => screen.line(error instanceof Error ? error.message : 'failed'))
  }
  const onCommand = (key: string) => {
    if (key === 't') run(() => teller.next())
    else if (key === 's') run(() => teller.rest())
    else if (key === 'o') open(server.runbell.url)
    else if (key === '?' || key === 'h') for (const line of HELP) screen.line(line)
    else if (key === 'f') {
      typed = ''
      screen.status('Forward to which port or URL? ')
    }
  }
  const onTyped = (key: string, before: string) => {
    if (ENTER.test(key) || key === '\u001b') {
      typed = null
      screen.status(null)
      if (key !== '\u001b' && before !== '') run(() => forward(server.api, screen, before))
      return
    }
    typed = BACKSPACE.includes(key) ? before.slice(0, -1) : before + key.replaceAll(/\p{C}/gu, '')
    screen.status(`Forward to which port or URL? ${typed}`)
  }
  const onData = (data: Buffer) => {
    // What is pasted comes at once; what is longer than a key is one where a key is asked for.
    const text = data.toString('utf8')
    for (const key of text.startsWith('\u001b') ? [text.slice(0, 1)] : text) {
      if (key === CTRL_C || (key === 'q' && typed === null)) return stop()
      if (typed === null) onCommand(key)
      else onTyped(key, typed)
    }
  }
  input.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return {
    close() {
      input.off('data', onData)
      input.setRawMode(false)
      input.pause()
    },
    settled: () => work,
  }
}

/** Tells refund runs, event by event. */
function createTeller(api: ApiClient): { next(): Promise<void>; rest(): Promise<void> } {
  let left: PlannedEvent[] = []
  const next = async () => {
    if (left.length === 0) left = planStory('refund', { seed: randomInt(2 ** 32), now: Date.now(), maxWaitMs: 0 })
    const [first, ...others] = left as [PlannedEvent, ...PlannedEvent[]]
    await publish(api, { ...first.event, timestamp: new Date().toISOString() })
    left = others
  }
  return {
    next,
    async rest() {
      do await next()
      while (left.length > 0)
    },
  }
}

async function forward(api: ApiClient, screen: Screen, target: string): Promise<void> {
  const url = targetUrl(target)
  const made = await api.post<EndpointView & { secret: string }>('/v1/endpoints', {
    url,
    description: 'forwarded from the terminal',
    event_types: ['*'],
  })
  screen.line(`Every event goes to ${url} now, signed with ${made.secret}`)
  screen.line(`It stays when this ends; runbell endpoints delete ${made.id} takes it away.`)
}

function openInBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  // A machine without a browser is no fault.
  spawn(command, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
