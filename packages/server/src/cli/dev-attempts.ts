import type { EndpointView } from '@runbell/sdk/contract'
import type { AttemptLine } from '../delivery/run-delivery.ts'
import { attemptText, row, verdictText, type Told } from './attempt-text.ts'
import type { DevServer } from './dev-server.ts'
import type { InboxEntry } from './inbox.ts'
import type { Screen } from './screen.ts'

/** Names of endpoints that are remembered; all are forgotten when there are more. */
const MAX_NAMES = 1000

interface Named {
  name: string
  attempts: number | null
}

/** A line for every attempt, in the order they ended. */
export function printAttempts(screen: Screen, server: DevServer): void {
  const known = new Map<string, Named>()
  let printed: Promise<void> = Promise.resolve()

  async function nameOf(endpointId: string): Promise<Named> {
    const found = known.get(endpointId) ?? (await askName(server, endpointId))
    if (known.size >= MAX_NAMES) known.clear()
    known.set(endpointId, found)
    return found
  }

  async function print(line: AttemptLine, told: Told | null, time: string): Promise<void> {
    const { name, attempts } = await nameOf(line.endpointId)
    const text = attemptText(screen, { line, most: attempts, told })
    const next = verdictText(screen, line, server.runbell.clock.now())
    screen.line(row(screen, time, name, line.eventType, next === null ? text : `${text}  ${next}`))
  }

  server.onAttempt((line) => {
    const time = new Date().toTimeString().slice(0, 8)
    const told = line.endpointId === server.inboxEndpointId ? toldByInbox(server.inbox.entries(), line) : null
    printed = printed.then(() => print(line, told, time))
  })
}

async function askName({ api, inboxEndpointId }: DevServer, endpointId: string): Promise<Named> {
  try {
    const { description, url, retry_schedule: delays } = await api.get<EndpointView>(`/v1/endpoints/${endpointId}`)
    const name = endpointId === inboxEndpointId ? 'inbox' : description || (URL.parse(url ?? '')?.host ?? endpointId)
    return { name: printable(name), attempts: delays.length + 1 }
  } catch {
    return { name: endpointId, attempts: null }
  }
}

/** A description is anybody's text: nothing in it may steer the terminal. */
function printable(name: string): string {
  return name.replaceAll(/\p{C}/gu, '').slice(0, 40)
}

function toldByInbox(entries: readonly InboxEntry[], { deliveryId, number }: AttemptLine): Told | null {
  const entry = entries.findLast(({ delivery_id: id, attempt }) => id === deliveryId && attempt === number)
  if (entry === undefined) return null
  return { verified: entry.verified, reason: entry.reason, duplicate: entry.duplicate, sha256: entry.body_sha256 }
}
