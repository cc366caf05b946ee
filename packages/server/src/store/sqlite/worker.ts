import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { takeLock } from './lock.ts'
import { describeError, type Reply, type Request, type WorkerSettings } from './messages.ts'
import { openContext, readEach, writeGroup } from './request-group.ts'

/*
 * One thread, one connection. It takes every request that waits and answers them together; those that arrive
 * meanwhile share the next turn.
 */

const port = parentPort as MessagePort
const { path, role } = workerData as WorkerSettings
/** Requests one transaction takes at most, so that nobody waits long behind a crowd. */
const MAX_GROUP = 64

function start(): void {
  try {
    const lock = role === 'writer' ? takeLock(path) : null
    const context = openContext(path, role)
    const answer = role === 'writer' ? writeGroup : readEach
    port.on('message', (first: Request | 'close') => {
      const { requests, closing } = drain(first)
      if (requests.length > 0) for (const reply of answer(context, requests)) port.postMessage(reply)
      if (!closing) return
      context.db.close()
      lock?.release()
      port.postMessage({ id: 0 } satisfies Reply)
      port.close()
    })
    port.postMessage({ id: -1 } satisfies Reply)
  } catch (error) {
    port.postMessage({ id: -1, error: describeError(error) } satisfies Reply)
  }
}

function drain(first: Request | 'close'): { requests: Request[]; closing: boolean } {
  const requests: Request[] = []
  let closing = false
  let next: Request | 'close' | undefined = first
  while (next !== undefined) {
    if (next === 'close') closing = true
    else requests.push(next)
    if (requests.length >= MAX_GROUP) break
    next = receiveMessageOnPort(port)?.message as Request | 'close' | undefined
  }
  return { requests, closing }
}

// The reader loads while the writer opens the file, and opens it after that.
if (role === 'writer') start()
else port.once('message', start)
