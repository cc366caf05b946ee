import { generateSecret, signedHeaders } from '@runbell/sdk/signing'
import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { INBOX_ENTRIES, openInbox, type Inbox, type InboxEntry } from './inbox.ts'

const SECRET = generateSecret()

async function openTrusting(): Promise<Inbox> {
  const inbox = await openInbox()
  onTestFinished(() => inbox.close())
  inbox.trust(SECRET)
  return inbox
}

async function send({ url }: Inbox, id: string, secret: string = SECRET): Promise<number> {
  const body = JSON.stringify({ event_id: id, type: 'agent.run.started' })
  const headers = await signedHeaders({ id, timestamp: Math.floor(Date.now() / 1000), body, secrets: [secret] })
  const response = await fetch(url, { method: 'POST', headers, body })
  await response.arrayBuffer()
  return response.status
}

test('it tells first arrivals, duplicates and wrong signatures apart, newest first', async () => {
  const inbox = await openTrusting()
  expect(await send(inbox, 'evt_test_00000001')).toBe(200)
  expect(await send(inbox, 'evt_test_00000001')).toBe(200)
  expect(await send(inbox, 'evt_test_00000002', generateSecret())).toBe(401)
  const { data } = (await (await fetch(inbox.url)).json()) as { data: InboxEntry[] }
  expect(data.map(({ verified, reason, duplicate }) => ({ verified, reason, duplicate }))).toEqual([
    { verified: false, reason: 'wrong_signature', duplicate: false },
    { verified: true, reason: null, duplicate: true },
    { verified: true, reason: null, duplicate: false },
  ])
  expect(data[0]?.explanation).toMatch(/\w/)
})

test('it keeps the newest thousand', async () => {
  const inbox = await openTrusting()
  for (let index = 0; index <= INBOX_ENTRIES; index++) await send(inbox, `evt_test_${String(index).padStart(8, '0')}`)
  expect(inbox.entries()).toHaveLength(INBOX_ENTRIES)
  expect(inbox.entries()[0]?.event_id).toBe('evt_test_00000001')
})

test('a name that was pointed at this machine gets nothing', async () => {
  const { url } = await openTrusting()
  const status = await new Promise((resolve, reject) => {
    request(url, { headers: { host: 'stranger.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(403)
})
