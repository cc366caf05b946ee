import { EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { queryOf, type FilterFlags } from '../replay/filter-flags.ts'
import { createScreen, type Screen } from '../screen.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { follow, type Activity } from './follow.ts'

export interface TailOptions extends ServerOptions, FilterFlags {
  json?: boolean
}

const EVERY_MS = 1000

/** Until Ctrl-C. */
export async function tail(options: TailOptions): Promise<number> {
  const { api, url } = findServer(options)
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const screen = createScreen(process.stdout)
    if (options.json !== true) process.stderr.write(`What happens at ${url}; Ctrl-C ends it.\n`)
    for await (const activity of follow(api, queryOf(options), { signal: stopping.signal, everyMs: EVERY_MS })) {
      if (options.json === true) printLine(JSON.stringify(activity))
      else screen.line(lineOf(screen, activity))
    }
    return EXIT.ok
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

export function lineOf(screen: Screen, activity: Activity): string {
  if (activity.kind === 'event') {
    const { recorded_at: at, type, event_id: id, run_id: run, deliveries } = activity.event
    const rest = `${id}  ${run ?? ''}  ${deliveries.total} deliveries`
    return printable(`${timeOf(at)}  →  ${type.padEnd(28)}  ${rest}`)
  }
  const {
    updated_at: at,
    event_type: type,
    id,
    endpoint_id: endpoint,
    status,
    reason,
    attempt_count: count,
  } = activity.delivery
  const state = reason === null ? status : `${status}: ${reason}`
  const colour = status === 'delivered' ? 'green' : status === 'pending' ? 'yellow' : 'red'
  return `${timeOf(at)}  ←  ${printable(`${type.padEnd(28)}  ${id}  ${endpoint}  ${count} attempts`)}  ${screen.paint(colour, printable(state))}`
}

function timeOf(time: string | undefined): string {
  return time?.slice(11, 19) ?? ''
}

function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '')
}
