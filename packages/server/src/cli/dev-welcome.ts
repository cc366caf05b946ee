import { resolve } from 'node:path'
import { VERSION } from '../version.ts'
import type { DevServer } from './dev-server.ts'
import type { Screen } from './screen.ts'

/**
 * Where everything is, and how to publish the first event.
 * @param hasKeys whether keys do something
 */
export function printWelcome(screen: Screen, server: DevServer, hasKeys = false): void {
  const { runbell, inbox, apiKey, settings } = server
  const bold = (text: string) => screen.paint('bold', text)
  screen.line(`${bold('Runbell')} ${VERSION}, test mode`)
  screen.line()
  screen.line(bold(runbell.url))
  screen.line('├─ /v1/events         publish events, read them')
  screen.line('├─ /v1/endpoints      who receives what')
  screen.line('├─ /v1/deliveries     every delivery and its attempts')
  screen.line('├─ /v1/dead-letters   what could not be delivered')
  screen.line('└─ /openapi.json      the whole API')
  screen.line(`${bold(inbox.url)}  the inbox: every event lands here, newest first`)
  screen.line()
  screen.line(`API key  ${apiKey}`)
  screen.line(`Data     ${resolve(settings.dataDir)} (dev.json has the key, master.key seals secrets: for you alone)`)
  screen.line()
  screen.line('Publish an event:')
  printPublishExample(screen, runbell.url, apiKey)
  screen.line()
  if (hasKeys) screen.line('Keys: t trigger an event, f forward, o open, ? more.')
  screen.line('Ctrl-C stops it. Attempts:')
}

/** A command to paste, 80 columns wide but for the key. */
export function printPublishExample(screen: Screen, url: string, apiKey: string): void {
  const body = '{"type":"agent.run.started","run_id":"run_1","agent":{"id":"my-agent"},"data":{"status":"running"}}'
  screen.line(`  curl ${url}/v1/events -H 'content-type: application/json' \\`)
  screen.line(`    -H 'authorization: Bearer ${apiKey}' \\`)
  screen.line(`    -d '${body}'`)
}
