import { expect, test } from 'vitest'
import { startFakeServer } from './testing/fake-server.ts'
import { FIRST, SECOND, captureOutput, catalog, catalogFile, invoice } from './testing/run-catalog.ts'

captureOutput()

const named = (type: string) => ({ ...invoice(FIRST, SECOND), type })

test('push that is cut off says how far it came, and goes on when it is run again', async () => {
  const server = await startFakeServer()
  const path = catalogFile([named('acme.a.drafted'), named('acme.b.drafted'), named('acme.c.drafted')])
  server.changes = 3
  const first = await catalog('push', path)
  expect(first).toMatchObject({ code: 1, out: 'created      acme.a.drafted, version 2' })
  expect(first.err).toMatch(/^runbell: acme\.b\.drafted: .*The database is away.*; 1 of 3 types are .* run it again/)
  expect(server.types.get('acme.b.drafted')?.versions).toHaveLength(1)
  server.changes = Infinity
  server.requests.length = 0
  const second = await catalog('push', path)
  expect(second.out).toBe(
    'unchanged    acme.a.drafted, version 2\nnew_version  acme.b.drafted, version 2\ncreated      acme.c.drafted, version 2',
  )
  expect(server.requests.filter((request) => request.startsWith('POST'))).toEqual([
    'POST /v1/event-types/acme.b.drafted/versions',
    'POST /v1/event-types',
    'POST /v1/event-types/acme.c.drafted/versions',
  ])
})

test('push changes nothing while one type is invalid', async () => {
  const server = await startFakeServer()
  const path = catalogFile([named('acme.a.drafted'), named('acme.draft_b')])
  expect((await catalog('push', path)).code).toBe(4)
  const lines = catalogFile([named('acme.a.drafted'), { ...named('acme.b.drafted'), fact: 'Two\nlines.' }])
  expect(await catalog('push', lines)).toMatchObject({
    code: 4,
    out: expect.stringContaining('  /fact must be one line'),
  })
  expect(server.requests).toEqual([])
})

test('push of many types says on standard error how far it is', async () => {
  await startFakeServer()
  const path = catalogFile(Array.from({ length: 30 }, (_, n) => ({ ...invoice(FIRST), type: `acme.n${n}.drafted` })))
  const { code, out, err } = await catalog('push', path, '--json')
  expect([code, out.split('\n').length]).toEqual([0, 1])
  expect(err).toBe('looked at 25 of 30 types\nlooked at 30 of 30 types\npushed 25 of 30 types\npushed 30 of 30 types')
})

test('words of a version that is not current any more are not taken, and are not called a change', async () => {
  await startFakeServer()
  await catalog('push', catalogFile([named('acme.a.drafted')]))
  const other = { ...FIRST, examples: [{ amount: '1.00' }] }
  const again = await catalog('push', catalogFile([{ ...named('acme.a.drafted'), versions: [other, SECOND] }]))
  expect(again.out).toBe('unchanged    acme.a.drafted, version 2')
})
