import { Agent, request } from 'undici'

/*
 * A load generator in a process of its own: `connections` publishers, each sending its next event when the last one was
 * answered (closed loop), for `seconds`. Prints one line of JSON.
 */

const [url = '', key = '', connectionsText = '64', secondsText = '5'] = process.argv.slice(2)
const connections = Number(connectionsText)
const until = performance.now() + Number(secondsText) * 1000
const agent = new Agent({ connections, pipelining: 1 })
const text = 'x'.repeat(800)
/** Events a run has: its start, and messages. */
const RUN_LENGTH = 10
const latencies: number[] = []
let failed = 0

function eventOf(number: number, count: number): unknown {
  const run_id = `run_${process.pid}_${number}_${Math.floor(count / RUN_LENGTH)}`
  const head = { run_id, agent: { id: 'bench' } }
  if (count % RUN_LENGTH === 0) return { type: 'agent.run.started', ...head, data: { status: 'running', input: text } }
  const data = { status: 'sent', message_id: `m_${count}`, channel: 'chat', content: text }
  return { type: 'agent.message.sent', ...head, data }
}

async function publisher(number: number): Promise<void> {
  for (let count = 0; performance.now() < until; count++) {
    const started = performance.now()
    const response = await request(`${url}/v1/events`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(eventOf(number, count)),
    })
    await response.body.dump()
    if (response.statusCode === 202) latencies.push(performance.now() - started)
    else failed++
  }
}

const started = performance.now()
await Promise.all(Array.from({ length: connections }, (_, number) => publisher(number)))
const seconds = (performance.now() - started) / 1000
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
process.stdout.write(
  `${JSON.stringify({ events: latencies.length, failed, perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99) })}\n`,
)
await agent.close()
