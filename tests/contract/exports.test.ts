import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Page } from '@runbell/sdk/contract'
import { expect, test } from 'vitest'
import { anEvent, get, newType, post } from '../support/client.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const server = shareServer()
const EVENTS = 1500
const BATCH = 150
/** More in all than what sockets and streams hold on the way. */
const TEXT = 'x'.repeat(20_000)

/** Begins an export and reads nothing of it. */
async function begin(query: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` }
  const asking = request(`${server.url}/v1/events/export?${query}`, { headers }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  return response
}

/** How many of the events have been read for somebody, as the audit log has it. */
async function countViews(): Promise<number> {
  let count = 0
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `/v1/audit-log?action=payload.viewed&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page: Page<unknown> = await get(server, path)
    count += page.data.length
    cursor = page.next_cursor
  }
  return count
}

/** The audit log is written each second: what is on record twice, a while apart, is all there is. */
async function settledViews(): Promise<number> {
  let [before, since] = [-1, performance.now()]
  return await until(
    'nothing more is read',
    countViews,
    (count) => {
      if (count !== before) [before, since] = [count, performance.now()]
      return count > 0 && performance.now() - since > 2500
    },
    60_000,
  )
}

test('an export goes no further than it is read, ends when its reader goes, and is whole for one who stays', async () => {
  const type = newType()
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const events = Array.from({ length: BATCH }, () => anEvent(type, { data: { text: TEXT } }))
    await post(server, '/v1/events/batch', events)
  }
  const gone = await begin(`type=${type}`)
  const held = await settledViews()
  expect(held).toBeLessThan(EVENTS)
  gone.destroy()
  expect(await settledViews()).toBeLessThan(EVENTS)
  let [bytes, tail] = [0, '']
  for await (const chunk of (await begin(`type=${type}`)) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    tail = (tail + chunk.toString('latin1')).slice(-100)
  }
  expect(bytes).toBeGreaterThan(EVENTS * TEXT.length)
  expect(JSON.parse(tail.trimEnd().split('\n').at(-1) as string)).toEqual({ export: { complete: true, rows: EVENTS } })
}, 120_000)
