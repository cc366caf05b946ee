import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/* The barest server that takes a body: reads and ignores it, and answers a fixed 202. Tells its CPU time over IPC. */

const BODY = '{"event_id":"evt_0192f0c18e7c7c3a8d5b6a7f4e3d2c"}'
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': BODY.length })
    response.end(BODY)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('disconnect', () => process.exit(0))
