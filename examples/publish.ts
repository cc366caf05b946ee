import { Runbell } from '@runbell/sdk/emit'

const runbell = new Runbell({
  url: process.env['RUNBELL_URL'] ?? 'http://127.0.0.1:4600',
  key: process.env['RUNBELL_API_KEY'] ?? '',
  defaultAgent: { id: 'refund-agent' },
})
const run_id = `run_${crypto.randomUUID()}`
await runbell.emit('agent.run.started', { run_id, data: { status: 'running', trigger: 'user' } })
await runbell.emit('agent.run.completed', { run_id, data: { status: 'completed', duration_ms: 48_000 } })
