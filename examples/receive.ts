import { createServer } from 'node:http'
import { createReceiver } from '@runbell/sdk/receive'

const port = Number(process.env['PORT'] ?? 3000)
const receiver = createReceiver({ secrets: process.env['RUNBELL_SECRET'] ?? '' })
receiver.on('agent.run.completed', async (event) => {
  console.log(`${event.run_id} is complete, says ${event.agent.id}`)
})
const server = createServer((request, response) => void receiver.node(request, response))
server.listen(port, '127.0.0.1', () => console.log(`listening on ${port}`))
