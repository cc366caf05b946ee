import type { DiagnosticView, DiagnosticsAccepted, DiagnosticsErased, Page } from '@runbell/sdk/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, post, request } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { ADMIN_KEY, startNode, type ServerProcess } from '../support/server-process.ts'

/* Diagnostics of two nodes on one Postgres: each sees, follows and erases what the other has taken. */

let database: TestDatabase
let one: ServerProcess
let other: ServerProcess

beforeAll(async () => {
  database = await createTestDatabase()
  ;[one, other] = await Promise.all([startNode(database.url), startNode(database.url)])
}, 60_000)

afterAll(async () => {
  const codes = await Promise.all([one.end('SIGTERM'), other.end('SIGTERM')])
  await database.drop()
  if (codes.some((code) => code !== 0)) throw new Error(`the nodes ended with ${codes.join(', ')}`)
})

const names = async (node: ServerProcess) => {
  const { data } = await get<Page<DiagnosticView>>(node, '/v1/diagnostics?run_id=run-1&order=oldest')
  return data.map(({ name }) => name)
}

test('diagnostics of one node are listed, followed and erased at the other', async () => {
  const tail = await fetch(`${other.url}/v1/diagnostics/tail?run_id=run-1`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  const send = (name: string) => ({ name, run_id: 'run-1', message: 'späti \u0000' })
  const body = [send('first'), send('second')]
  const { status } = await request<DiagnosticsAccepted>(one, 'POST', '/v1/diagnostics', { body })
  expect(status).toBe(202)
  expect(await names(other)).toEqual(['first', 'second'])
  const reader = tail.body?.getReader()
  let heard = ''
  while (!heard.includes('second')) heard += Buffer.from((await reader?.read())?.value ?? []).toString()
  expect(heard).toContain('späti')
  await reader?.cancel()
  const erased = await post<DiagnosticsErased>(other, '/v1/diagnostics/erase', { run_id: 'run-1' })
  expect(erased).toEqual({ run_id: 'run-1', erased: 2 })
  expect(await names(one)).toEqual([])
})
