import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/cli-process.ts'
import { startFakeServer } from './testing/fake-server.ts'
import { FIRST, GROWN, SECOND, captureOutput, catalog, catalogFile, invoice } from './testing/run-catalog.ts'

captureOutput()

const ORDER = { ...invoice(FIRST), type: 'acme.order.shipped' }

describe('runbell catalog types', () => {
  test('writes to standard output, or as JSON', async () => {
    const path = catalogFile([invoice(FIRST, SECOND)])
    const { code, out, err } = await catalog('types', path)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('export interface AcmeInvoiceDraftedV2 {')
    const { types, source } = JSON.parse((await catalog('types', path, '--json')).out) as Record<string, unknown>
    expect([types, String(source).trimEnd()]).toEqual([['acme.invoice.drafted'], out])
  })

  test('writes a file once, and finds it out of date when the catalog has changed', async () => {
    const out = join(temporaryFolder(), 'src', 'own-events.ts')
    const before = catalogFile([invoice(FIRST)])
    expect(await catalog('types', before, '-o', out, '--check')).toMatchObject({ code: 1 })
    expect(existsSync(out)).toBe(false)
    expect((await catalog('types', before, '-o', out)).err).toContain('1 event types, 1 files changed')
    expect(await catalog('types', before, '-o', out, '--check')).toMatchObject({
      code: 0,
      err: expect.stringContaining('up to date'),
    })
    const text = readFileSync(out, 'utf8')
    const grown = await catalog('types', catalogFile([invoice(GROWN)]), '-o', out, '--check', '--json')
    expect(grown).toMatchObject({ code: 1, err: `runbell: out of date, run it without --check: ${out}` })
    expect(JSON.parse(grown.out)).toMatchObject({ out, changed: [out] })
    expect(readFileSync(out, 'utf8')).toBe(text)
  })

  test('leaves standard output to types when a type cannot be registered', async () => {
    const path = catalogFile([{ ...invoice(FIRST), type: 'acme.draft_invoice' }])
    const { code, out, err } = await catalog('types', path)
    expect([code, out]).toEqual([4, ''])
    expect(err).toContain('invalid      acme.draft_invoice\n  /type')
    const json = await catalog('types', path, '--json')
    expect([json.code, JSON.parse(json.out)]).toMatchObject([4, { errors: [{ type: 'acme.draft_invoice' }] }])
  })

  test.each([
    [['--check'], 2, 'name it with -o'],
    [['-o', 'own.d.ts'], 2, 'name a .ts file'],
    [['-o', '/dev/null/own.ts'], 1, '/dev/null/own.ts cannot be'],
  ])('%j is refused', async (args, code, message) => {
    const result = await catalog('types', catalogFile([invoice(FIRST)]), ...args)
    expect(result).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('runbell catalog docs', () => {
  test('removes what it made earlier, and nothing else', async () => {
    const folder = temporaryFolder()
    await catalog('docs', catalogFile([invoice(FIRST), ORDER]), '-o', folder)
    writeFileSync(join(folder, 'notes.md'), 'mine')
    mkdirSync(join(folder, 'schemas', 'mine'))
    writeFileSync(join(folder, 'schemas', 'mine', '1.json'), '{}')
    const path = catalogFile([invoice(FIRST)])
    const late = await catalog('docs', path, '-o', folder, '--check')
    expect(late.code).toBe(1)
    for (const name of ['README.md', 'acme.order.shipped.md', 'schemas/acme.order.shipped/1.json']) {
      expect(late.err).toContain(join(folder, name))
    }
    const { changed } = JSON.parse((await catalog('docs', path, '-o', folder, '--json')).out) as { changed: string[] }
    expect(changed).toHaveLength(3)
    const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(left.map(({ name }) => name).toSorted()).toEqual([
      ...['1.json', '1.json', 'README.md', 'acme.invoice.drafted.md', 'notes.md'],
    ])
    expect((await catalog('docs', path, '-o', folder, '--check')).code).toBe(0)
  })

  test('asks a server for its own types, page by page', async () => {
    const server = await startFakeServer()
    const names = ['acme.a.drafted', 'acme.b.drafted', 'acme.c.drafted']
    await catalog('push', catalogFile(names.map((type) => ({ ...invoice(FIRST, SECOND), type }))))
    server.types.set('agent.run.started', { type: 'agent.run.started', origin: 'agent', versions: [] })
    const folder = temporaryFolder()
    const { out } = await catalog('docs', '-o', folder, '--json')
    expect(JSON.parse(out)).toMatchObject({ types: names })
    expect(readdirSync(join(folder, 'schemas'))).toEqual(names)
  })

  test('writes nothing for a server whose names lead out of the folder', async () => {
    const server = await startFakeServer()
    server.types.set('evil', { type: '../../evil', fact: '', versions: [] })
    server.types.set('../../evil', { type: '../../evil', fact: '', versions: [{ version: 1, schema: {} }] })
    const folder = join(temporaryFolder(), 'one', 'two')
    const { code, err } = await catalog('docs', '-o', folder)
    expect([code, err]).toEqual([1, expect.stringContaining('cannot be one')])
    expect(existsSync(folder)).toBe(false)
  })
})
