import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { startReceiver, type Receiver } from './receiver.ts'
import { startServer, type ServerProcess } from './server-process.ts'

/** A real server that all tests of a file share. */
export interface SharedServer {
  readonly url: string
  readonly process: ServerProcess
  readonly dataDir: string
  /** Kills it with -9 and starts it again on the same data. */
  crash(): Promise<void>
  /** Starts it again on the same data, after it has ended. */
  start(): Promise<void>
  /** A receiver that is closed after the last test. */
  receiver(...[answer]: Parameters<typeof startReceiver>): Promise<Receiver>
  /** Runs after the last test, the latest first. */
  afterwards(end: () => Promise<unknown>): void
}

/** Short enough that retries are over soon, long enough to tell them apart. */
const SHORT_SCHEDULE = '100ms,200ms'

const SHORT: Record<string, string> = { RUNBELL_RETRY_SCHEDULE: SHORT_SCHEDULE }

/**
 * Starts a server before the first test of the file that calls this, and ends it after the last.
 * @param environment @default a short retry schedule
 */
export function shareServer(environment: Record<string, string> = SHORT): SharedServer {
  const ends: (() => Promise<unknown>)[] = []
  let dataDir = ''
  let running: ServerProcess | null = null

  async function start(): Promise<void> {
    running = await startServer(dataDir, environment)
  }

  function now(): ServerProcess {
    if (running === null) throw new Error('the server runs from before the first test to after the last')
    return running
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'runbell-guarantees-'))
    await start()
  })

  afterAll(async () => {
    for (const end of ends.reverse()) await end()
    const code = await running?.end('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
    if (code !== 0) throw new Error(`after all this the server ended with ${code}:\n${running?.log()}`)
  })

  return {
    get url() {
      return now().url
    },
    get process() {
      return now()
    },
    get dataDir() {
      return dataDir
    },
    start,
    async crash() {
      await now().end('SIGKILL')
      await start()
    },
    async receiver(answer) {
      const receiver = await startReceiver(answer)
      ends.push(() => receiver.close())
      return receiver
    },
    afterwards: (end) => void ends.push(end),
  }
}
