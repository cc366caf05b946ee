import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/**
 * A port whose queue of unaccepted connections is full: Linux drops further SYNs, so a connection attempt hangs.
 * The listener lives in a thread that listens with a backlog of 1 and then sleeps for ever.
 */
export async function startFullBacklog(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(
    `const { createServer } = require('node:net')
     const { parentPort } = require('node:worker_threads')
     const server = createServer()
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
     })`,
    { eval: true },
  )
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const fillers: Socket[] = []
  // A listener with backlog 1 queues 2; one that is not open after 100 ms proves that the queue is full.
  while (await opens(port, fillers)) {
    if (fillers.length > 20) throw new Error('the backlog does not fill')
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}

function opens(port: number, fillers: Socket[]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    fillers.push(socket)
    socket.on('error', () => {})
    const timer = setTimeout(() => resolve(false), 100)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
