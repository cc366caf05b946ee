import { apiKeyRow } from '../api/access/api-key.ts'
import type { Settings } from '../config/settings.ts'
import type { AttemptLine } from '../delivery/run-delivery.ts'
import { keyCreated } from '../admin-keys.ts'
import { createRunbell, type Runbell } from '../runbell.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import type { Chaos } from './chaos.ts'
import { prepareDataDir } from './data-dir.ts'
import { readDevFile, writeDevFile } from './dev-file.ts'
import { placeInboxEndpoint } from './inbox-endpoint.ts'
import { openInbox, type Inbox } from './inbox.ts'
import { createLog } from './serve.ts'

/** A server in test mode with its inbox. */
export interface DevServer {
  runbell: Runbell
  settings: Settings
  api: ApiClient
  apiKey: string
  inbox: Inbox
  inboxEndpointId: string
  /** Calls back for every attempt, after it is on record. */
  onAttempt(listener: (line: AttemptLine) => void): void
  stop(): Promise<void>
}

/**
 * Opens the database, serves, and points the inbox's endpoint at the inbox.
 * @param chaos faults of the inbox
 */
export async function openDevServer(
  settings: Settings,
  onFatal: (error: Error) => void,
  chaos: Chaos | null = null,
): Promise<DevServer> {
  prepareDataDir(settings.dataDir)
  const listeners: ((line: AttemptLine) => void)[] = []
  const log = createLog(settings.logLevel)
  const runbell = await createRunbell({
    settings,
    command: 'dev',
    log,
    onAttempt: (line) => listeners.forEach((listener) => listener(line)),
    onFatal,
  })
  let inbox: Inbox | null = null
  try {
    // Only now: the database's lock keeps a second process off this file too.
    const file = readDevFile(settings.dataDir)
    const key = apiKeyRow(file.apiKey, { scopes: ['admin'], now: runbell.clock.now() })
    const now = runbell.clock.now()
    if (key !== null) await runbell.store.putApiKey({ key, audit: [keyCreated(key, 'config', now)] })
    const api = createApiClient(runbell.url, file.apiKey)
    inbox = await openInbox(chaos)
    const placed = await placeInboxEndpoint(api, file.inbox, `${inbox.url}/`)
    inbox.trust(placed.secret)
    writeDevFile(settings.dataDir, { ...file, inbox: placed, url: runbell.url })
    const stop = async () => {
      log.info('stopping')
      await runbell.stop()
      await inbox?.close()
    }
    const onAttempt = (listener: (line: AttemptLine) => void) => void listeners.push(listener)
    return { runbell, settings, api, apiKey: file.apiKey, inbox, inboxEndpointId: placed.endpointId, onAttempt, stop }
  } catch (error) {
    await runbell.stop()
    await inbox?.close()
    throw error
  }
}
