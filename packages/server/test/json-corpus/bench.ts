/**
 * Reports CPU µs per KB of the scanner against `JSON.parse` of the same bytes. Not a test: run it by hand, the machine
 * drifts, so only the ratio within one run means something.
 *
 *   node --conditions=runbell-source packages/server/test/json-corpus/bench.ts [file.ndjson]
 */
import { readFileSync } from 'node:fs'
import { scanJson } from '../../src/core/json-scan.ts'
import { splitJsonArray } from '../../src/core/json-split.ts'

const encoder = new TextEncoder()

const typical = JSON.stringify({
  event_id: 'evt_01KAXW2M7Q8R5T9V3B6N0P1C2D',
  type: 'agent.tool_call.completed',
  schema_version: 1,
  timestamp: '2026-11-23T18:02:13.702Z',
  agent: { id: 'refund-agent', name: 'Refund agent', version: '2026-11-02' },
  run_id: 'run_01KAXW2M5E',
  conversation_id: 'thread_8841',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  metadata: { order_region: 'eu', plan: 'team', shard: '14' },
  data: {
    status: 'completed',
    tool_call_id: 'call_9f2KQ',
    tool: { name: 'lookup_order', type: 'function', annotations: { read_only_hint: true, idempotent_hint: true } },
    duration_ms: 412,
    side_effects: 'none',
    summary: 'Order found, delivered 9 days ago.',
    input: { order_id: '7781', include: ['items', 'address', 'payments'] },
    output: {
      order_id: '7781',
      card_last4: '4242',
      email: 'dana@example.com',
      note: 'Left at the door; the customer said “thanks” and asked\nfor the invoice again. '.repeat(2),
    },
    result: { type: 'order', id: '7781', url: 'https://api.acme.example/orders/7781' },
  },
})

/** Median CPU µs of a call over nine rounds of about 20 ms. */
function cpuMicros(work: () => unknown): number {
  const started = performance.now()
  let calls = 0
  for (; performance.now() - started < 60; calls += 1) work()
  const perRound = Math.max(1, Math.floor(calls / 3))
  const rounds: number[] = []
  for (let round = 0; round < 9; round += 1) {
    const before = process.cpuUsage()
    for (let call = 0; call < perRound; call += 1) work()
    const used = process.cpuUsage(before)
    rounds.push((used.user + used.system) / perRound)
  }
  return rounds.toSorted((left, right) => left - right)[4] ?? 0
}

function report(name: string, bytes: Uint8Array, work: () => unknown): void {
  const micros = cpuMicros(work)
  console.log(
    `${name.padEnd(44)} ${micros.toFixed(2).padStart(9)} µs  ${((micros / bytes.length) * 1024).toFixed(2)} µs/KB`,
  )
}

function compare(name: string, bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  console.log(`\n${name}: ${bytes.length} bytes`)
  report('scanJson', bytes, () => scanJson(bytes))
  report('JSON.parse(TextDecoder fatal)', bytes, () => JSON.parse(decoder.decode(bytes)))
  report('JSON.parse(buffer.toString())', bytes, () => JSON.parse(buffer.toString()))
  const decode = (from: Uint8Array, start: number, end: number) => decoder.decode(from.subarray(start, end))
  const pure = scanJson(bytes)
  const native = scanJson(bytes, { decode })
  if (!pure.ok || !native.ok) return
  report('value(root), pure decoder', bytes, () => pure.json.value(0))
  report('value(root), TextDecoder', bytes, () => native.json.value(0))
}

// Once unreported: the first thing measured pays for the compiler.
for (let round = 0; round < 20_000; round += 1) scanJson(encoder.encode(typical))
compare('typical event', encoder.encode(typical))
compare('typical event, one escaped name', encoder.encode(typical.replace('"plan"', '"pl\\u0061n"')))
const file = process.argv[2]
if (file !== undefined) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  for (const line of lines.slice(0, 4)) compare(file, encoder.encode(line))
}
compare('prose', encoder.encode(JSON.stringify({ text: 'Plain ASCII prose of an agent. '.repeat(2_000) })))
compare('Chinese', encoder.encode(JSON.stringify({ text: '退款已经处理完毕，请查收。'.repeat(1_000) })))
compare('escapes', encoder.encode(JSON.stringify({ text: '"\n\\'.repeat(10_000) })))
const names = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`name_${index}`, index]))
compare('10,000 names', encoder.encode(JSON.stringify(names(10_000))))
compare('400 objects of 24 names', encoder.encode(JSON.stringify(Array.from({ length: 400 }, () => names(24)))))
const batch = encoder.encode(`[${Array.from({ length: 100 }, () => typical).join(',')}]`)
console.log(`\nbatch of 100: ${batch.length} bytes`)
report('splitJsonArray', batch, () => splitJsonArray(batch, { maxItems: 1_000 }))
const bomb = new Uint8Array(10_000_000).fill(0x5b)
console.log(`\n10 MB of [`)
report('scanJson', bomb, () => scanJson(bomb))
report('splitJsonArray', bomb, () => splitJsonArray(bomb, { maxItems: 1_000 }))
