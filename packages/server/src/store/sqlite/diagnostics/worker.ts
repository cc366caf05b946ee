import { platform, setPriority } from 'node:os'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { describeError, type Reply } from '../messages.ts'
import { openDiagnosticsFile } from './database.ts'
import { runVerb, type DiagnosticVerbs } from './verbs.ts'

/** One thread and one connection for everything about diagnostics; a read is bounded, so it holds up little. */
const port = parentPort as MessagePort

export interface DiagnosticRequest {
  id: number
  verb: keyof DiagnosticVerbs | 'close'
  input: unknown
}

/** Of two that want the processor it is the other one that has it. Elsewhere the priority is that of the whole process. */
const PRIORITY = 10

try {
  if (platform() === 'linux') setPriority(PRIORITY)
  const database = openDiagnosticsFile(workerData as string)
  port.on('message', ({ id, verb, input }: DiagnosticRequest) => {
    if (verb === 'close') {
      database.close()
      port.postMessage({ id } satisfies Reply)
      return port.close()
    }
    try {
      port.postMessage({ id, output: runVerb(database, verb, input) } satisfies Reply)
    } catch (error) {
      port.postMessage({ id, error: describeError(error) } satisfies Reply)
    }
  })
  port.postMessage({ id: 0 } satisfies Reply)
} catch (error) {
  port.postMessage({ id: 0, error: describeError(error) } satisfies Reply)
}
