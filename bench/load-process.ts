import { Agent, request } from 'undici'
import type { LoadOptions } from './load.ts'

/*
 * A load generator in a process of its own. In a closed loop each publisher sends its next request when the last one was
 * answered; in an open loop requests start at their time, whatever became of those before. Prints one line of JSON.
 */

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions
const { url, key = 'none', connections, batch = 1, types = 0, perSecond } = options
const agent = new Agent({ connections, pipelining: 1 })
const text = 'x'.repeat(800)
/** Events a run has: its start, and messages. */
const RUN_LENGTH = 10
const latencies: number[] = []
let failed = 0

function eventOf(number: number, count: number): unknown {
  if (types > 0)
    return { type: `bench.type_${(number + count) % types}.happened`, agent: { id: 'bench' }, data: { text } }
  const run_id = `run_${process.pid}_${number}_${Math.floor(count / RUN_LENGTH)}`
  const head = { run_id, agent: { id: 'bench' } }
  if (count % RUN_LENGTH === 0) return { type: 'agent.run.started', ...head, data: { status: 'running', input: text } }
  const data = { status: 'sent', message_id: `m_${count}`, channel: 'chat', content: text }
  return { type: 'agent.message.sent', ...head, data }
}

function bodyOf(number: number, count: number): string {
  if (batch === 1) return JSON.stringify(eventOf(number, count))
  return JSON.stringify(Array.from({ length: batch }, (_, index) => eventOf(number, count * batch + index)))
}

async function publish(number: number, count: number): Promise<void> {
  const body = bodyOf(number, count)
  const started = performance.now()
  const response = await request(`${url}/v1/events${batch === 1 ? '' : '/batch'}`, {
    method: 'POST',
    dispatcher: agent,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
  await response.body.dump()
  if (response.statusCode === 202 || response.statusCode === 200) latencies.push(performance.now() - started)
  else failed++
}

async function closedLoop(number: number): Promise<void> {
  for (let count = 0; performance.now() < until; count++) await publish(number, count)
}

/** Starts what is due every millisecond. */
async function openLoop(rate: number): Promise<void> {
  const underWay: Promise<void>[] = []
  for (let count = 0; performance.now() < until;) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate)
    while (count < due) underWay.push(publish(count % connections, count++))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(underWay)
}

const began = performance.now()
const until = began + options.seconds * 1000
if (perSecond === undefined) await Promise.all(Array.from({ length: connections }, (_, number) => closedLoop(number)))
else await openLoop(perSecond)
const seconds = (performance.now() - began) / 1000
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
const events = latencies.length * batch
const result = { events, failed: failed * batch, perSecond: events / seconds, p50: at(0.5), p99: at(0.99) }
process.stdout.write(`${JSON.stringify(result)}\n`)
await agent.close()
