import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { readyLine, runCli, temporaryFolder } from '../testing/cli-process.ts'
import { FIRST, GROWN, SECOND, captureOutput, catalog, catalogFile, invoice } from './testing/run-catalog.ts'

captureOutput()

const check = (path: string, ...more: string[]) => catalog('check', path, ...more)

describe('runbell catalog check', () => {
  const before = () => catalogFile([invoice(FIRST)])

  test.each<[string, object[], number, string]>([
    ['unchanged', [FIRST], 0, 'unchanged'],
    ['an optional field more', [GROWN], 0, 'additive'],
    ['a new version with its conversion', [FIRST, SECOND], 0, 'new_version'],
    ['another schema in place', [{ ...SECOND, version: 1, down_conversion: undefined }], 3, 'breaking'],
    [
      'a new version that forgets a word',
      [FIRST, { ...SECOND, down_conversion: SECOND.down_conversion.slice(0, 1) }],
      4,
      'invalid',
    ],
    ['a new version without a conversion', [FIRST, { ...SECOND, down_conversion: undefined }], 4, 'down_conversion'],
  ])('%s', async (_what, versions, code, word) => {
    const result = await check(catalogFile([invoice(...versions)]), '--against', before())
    expect(result.out).toContain(word)
    expect(result).toMatchObject({ code, err: '' })
  })

  test('a version that is gone breaks those who are pinned to it', async () => {
    const both = catalogFile([invoice(FIRST, SECOND)])
    const { code, out } = await check(before(), '--against', both)
    expect([code, out]).toEqual([3, expect.stringContaining('version 2, as a whole: breaking, the version is gone')])
  })

  test('in a frozen version not even an optional field may be added', async () => {
    const both = catalogFile([invoice(FIRST, SECOND)])
    const changed = catalogFile([invoice(GROWN, SECOND)])
    const { code, out } = await check(changed, '--against', both)
    expect(code).toBe(3)
    expect(out).toContain('version 1, /note: additive')
    expect(out).toContain('this takes a new version')
  })

  test('what consumers would not mind and producers would takes a new version, and says so', async () => {
    const stricter = { ...FIRST, schema: { ...FIRST.schema, required: ['amount', 'status'] } }
    const { code, out } = await check(catalogFile([invoice(stricter)]), '--against', before())
    expect(code).toBe(3)
    expect(out).toMatch(/version 1, \/status: additive, .*; this takes a new version$/m)
  })

  test('a published version keeps its conversion, and a type its run', async () => {
    const both = catalogFile([invoice(FIRST, SECOND)])
    const [rename, map] = SECOND.down_conversion
    const other = invoice(FIRST, { ...SECOND, down_conversion: [rename, { ...map, values: { disputed: 'paid' } }] })
    const converted = await check(catalogFile([other]), '--against', both)
    expect([converted.code, converted.out]).toEqual([3, expect.stringContaining('down_conversion it was published')])
    const inRuns = { ...invoice(FIRST), run_scoped: true }
    const scoped = await check(catalogFile([inRuns]), '--against', before())
    expect([scoped.code, scoped.out]).toEqual([3, expect.stringContaining('belong to a run cannot change')])
  })

  test('a type that is gone from a catalog is named', async () => {
    const two = catalogFile([invoice(FIRST), { ...invoice(FIRST), type: 'acme.order.shipped' }])
    const { code, out } = await check(before(), '--against', two)
    expect([code, out]).toEqual([3, expect.stringMatching(/breaking {5}acme\.order\.shipped\n.*the type is gone/)])
  })

  test('alone it says whether the catalog can be registered, and that nothing was compared', async () => {
    const { code, out, err } = await check(catalogFile(invoice(FIRST)))
    expect([code, out]).toEqual([0, expect.stringContaining('acme.invoice.drafted')])
    expect(err).toContain('compared with nothing')
  })

  test('as JSON it is one line with verdicts, paths and reasons', async () => {
    const changed = catalogFile([invoice({ ...SECOND, version: 1, down_conversion: undefined })])
    const { code, out } = await check(changed, '--against', before(), '--json')
    const { types, errors } = JSON.parse(out) as {
      types: { verdict: string; changes: { path: string }[] }[]
      errors: []
    }
    expect([code, types[0]?.verdict, errors]).toEqual([3, 'breaking', []])
    expect(types[0]?.changes.map(({ path }) => path)).toEqual(['/amount', '/status', '/total'])
  })

  test.each<[string, unknown, number, string]>([
    ['no JSON', '{"type":', 1, 'is not JSON'],
    ['a field nobody knows', { ...invoice(FIRST), colour: 1 }, 1, '/: '],
    ['versions in disorder', invoice(SECOND, FIRST), 1, 'are 1, 2, 3'],
    ['a type twice', [invoice(FIRST), invoice(FIRST)], 1, 'twice'],
    ['no versions', invoice(), 1, '/versions'],
  ])('%s is named with its file', async (_what, content, code, message) => {
    const path = catalogFile(content)
    const result = await check(path)
    expect([result.code, result.out]).toEqual([code, ''])
    expect(result.err).toContain(message)
    expect(result.err).toContain(path)
  })

  test('a folder is read file by file, also those that begin with a byte order mark', async () => {
    const folder = temporaryFolder()
    catalogFile(`\uFEFF${JSON.stringify(invoice(FIRST))}`, 'a.json', folder)
    catalogFile({ ...invoice(FIRST), type: 'acme.order.shipped' }, 'b.json', folder)
    expect((await check(folder)).out).toBe('new          acme.invoice.drafted\nnew          acme.order.shipped')
    mkdirSync(join(folder, 'c.json'))
    expect(await check(folder)).toMatchObject({ code: 1, err: expect.stringContaining('c.json cannot be read') })
  })

  test('a file that is not there is asked for', async () => {
    expect(await check('/nowhere/at-all.json')).toMatchObject({ code: 2, err: expect.stringContaining('there is no') })
  })
})

test('push registers a catalog, goes on where it was, and registers nothing that breaks', async () => {
  const { url, api_key: key } = await readyLine(
    runCli(['dev', '--port', '0', '--json', '--data-dir', temporaryFolder()]),
  )
  vi.stubEnv('RUNBELL_URL', url)
  vi.stubEnv('RUNBELL_API_KEY', key)
  const push = (content: unknown, ...more: string[]) => catalog('push', catalogFile(content), ...more)
  const other = { ...invoice(FIRST), type: 'acme.order.shipped', run_scoped: true }

  expect(await push([invoice(FIRST), other])).toMatchObject({
    code: 0,
    out: 'created      acme.invoice.drafted, version 1\ncreated      acme.order.shipped, version 1',
  })
  expect((await push([invoice(FIRST), other])).out).toContain('unchanged    acme.invoice.drafted')
  const scoped = await push([{ ...other, run_scoped: false }])
  expect(scoped).toMatchObject({ code: 3, err: expect.stringContaining('nothing was registered') })
  const grown = await push([invoice(GROWN, SECOND), { ...other, enforcement: 'warn' }], '--json')
  expect(JSON.parse(grown.out)).toMatchObject({
    types: [
      { type: 'acme.invoice.drafted', outcome: 'new_version', current_version: 2 },
      { type: 'acme.order.shipped', outcome: 'changed', current_version: 1 },
    ],
  })
  const breaking = await push([
    { ...other, type: 'acme.order.lost' },
    invoice({ ...SECOND, version: 1, down_conversion: undefined }),
  ])
  expect(breaking).toMatchObject({ code: 3, err: expect.stringContaining('nothing was registered') })
  const invalid = await push([
    { ...other, type: 'acme.order.lost' },
    { ...other, type: 'acme.lose_order' },
  ])
  expect(invalid).toMatchObject({ code: 4, out: expect.stringContaining('acme.order.lost') })

  const listed = await catalog('types')
  expect(listed.out).toContain("'acme.invoice.drafted': 2,")
  expect(listed.out).not.toContain('acme.order.lost')
  const folder = temporaryFolder()
  expect((await catalog('docs', '-o', folder)).code).toBe(0)
  expect(readdirSync(folder).toSorted()).toEqual([
    'README.md',
    'acme.invoice.drafted.md',
    'acme.order.shipped.md',
    'schemas',
  ])
  expect(readFileSync(join(folder, 'acme.invoice.drafted.md'), 'utf8')).toContain('Version 2')
  const checked = await check(catalogFile([invoice(FIRST)]))
  expect([checked.code, checked.out]).toEqual([3, expect.stringContaining('the version is gone')])
})

test('a server that is not there, and a key that is none, are said in one sentence', async () => {
  const path = catalogFile([invoice(FIRST)])
  const key = 'rb_test_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_39bf43ad'
  const gone = await catalog('push', path, '--url', 'http://127.0.0.1:1', '--key', key)
  expect(gone).toMatchObject({
    code: 1,
    err: 'runbell: no server answers at http://127.0.0.1:1: check the address and that it runs',
  })
  const none = await catalog('push', path, '--key', 'secret')
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('is not an API key') })
})
