import type { EventView } from '@runbell/sdk/contract'
import { VERSION } from '../../version.ts'
import { printPublishExample } from '../dev-welcome.ts'
import type { Stage } from './stage.ts'
import { wentWrong } from './show-replay.ts'

export function printIntroduction({ screen, server, receivers, portTaken, temporary }: Stage): void {
  const { runbell, inbox, settings } = server
  const bold = (text: string) => screen.paint('bold', text)
  screen.line(`${bold('Runbell')} ${VERSION}, a demonstration in test mode`)
  screen.line(`  server  ${runbell.url}${portTaken === null ? '' : `  (port ${portTaken} is taken, so this one)`}`)
  screen.line(`  inbox   ${inbox.url}  (gets every event)`)
  screen.line(`  data    ${settings.dataDir}${temporary ? '  (removed at the end)' : ''}`)
  screen.line()
  screen.line(bold('An agent refunds an order after a person approved it. Three systems listen:'))
  for (const { name, eventTypes, flaw } of receivers.values()) {
    screen.line(`  ${name.padEnd(12)}  ${eventTypes.join(', ')}`)
    if (flaw !== undefined) screen.line(`  ${' '.repeat(12)}  ${screen.paint('yellow', flaw)}`)
  }
  screen.line()
}

/** @param events oldest first */
export function printRun({ screen }: Stage, events: readonly EventView[]): void {
  screen.line()
  screen.line(screen.paint('bold', 'The run, in order') + ` (GET /v1/events?run_id=${events[0]?.run_id})`)
  for (const { sequence, type, deliveries } of events) {
    screen.line(
      `  ${String(sequence).padStart(2)}  ${type.padEnd(25)}  ${deliveries.delivered} of ${deliveries.total} delivered`,
    )
  }
  if (events.length !== 9 || events.some(({ sequence }, index) => sequence !== index + 1)) {
    throw wentWrong('the run is not in order')
  }
  if (events.some(({ deliveries }) => deliveries.delivered !== deliveries.total))
    throw wentWrong('not all is delivered')
}

export function printDone({ screen, server, watch }: Stage): void {
  const entries = server.inbox.entries()
  const verified = entries.filter((entry) => entry.verified && !entry.duplicate).length
  const deliveries = new Set(watch.lines.map(({ deliveryId }) => deliveryId)).size
  screen.line()
  screen.line(
    `${deliveries} deliveries, ${watch.lines.length} attempts. In the inbox: ${verified} events, all signatures ok.`,
  )
  if (verified !== 9 || entries.length !== 9)
    throw wentWrong('the inbox did not get every event once, with a good signature')
}

export function printNext({ screen, server }: Stage): void {
  const { runbell, inbox, apiKey } = server
  screen.line()
  screen.line(screen.paint('bold', 'Try next'))
  screen.line(`  curl ${inbox.url}`)
  printPublishExample(screen, runbell.url, apiKey)
  screen.line('README.md has the code of a producer and of a receiver; docs/ has the rest.')
  screen.line('Serving until Ctrl-C.')
}
