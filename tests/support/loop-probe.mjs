import { isMainThread } from 'node:worker_threads'

/*
 * Preloaded into a server under test. On SIGUSR2 it says for how long, at most, the thread was kept busy between two looks since it was
 * last asked, and begins anew. Measured in CPU time of the thread: what the machine does meanwhile does not count.
 */
const LOOK_MS = 5

if (isMainThread) {
  let last = process.threadCpuUsage()
  let longest = 0
  const look = () => {
    const { user, system } = process.threadCpuUsage(last)
    last = process.threadCpuUsage()
    longest = Math.max(longest, (user + system) / 1000)
  }
  setInterval(look, LOOK_MS).unref()
  process.on('SIGUSR2', () => {
    look()
    process.stderr.write(`loop-probe ${longest.toFixed(1)} ms\n`)
    longest = 0
  })
}
