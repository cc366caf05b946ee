import { describe, expect, test } from 'vitest'
import { checkImports } from './check-imports.ts'
import { EXCEPTIONS, TEST_CODE, ZONES } from './import-zones.ts'
import { readImports } from './read-imports.ts'
import { readSources } from './repository.ts'

const SERVER = 'packages/server/src/'
const SDK = 'packages/sdk/src/'
const sources = readSources((path) => path.startsWith('packages/') && path.endsWith('.ts'))

describe('the directions of imports', () => {
  test('hold in every file', () => {
    expect(checkImports(sources)).toEqual([])
  })

  test('every exception is still needed', () => {
    for (const { from, to } of EXCEPTIONS) {
      const file = sources.find(({ path }) => path === from)
      expect(file?.text, from).toContain(`'@runbell/${to}'`)
    }
  })

  test('every zone of today is found', () => {
    const paths = sources.map(({ path }) => path)
    const found = ZONES.filter(({ files }) => paths.some((path) => files.test(path))).map(({ name }) => name)
    expect(found).toEqual(expect.arrayContaining([...ZONES_OF_TODAY]))
  })
})

const ZONES_OF_TODAY = [
  'sdk/contract',
  'sdk/catalog',
  'sdk/signing',
  'core',
  'store',
  'store/sqlite',
  'delivery',
  'api',
]

/** From a file, an import statement, and what is said about it. */
const FORBIDDEN: [from: string, statement: string, said: string][] = [
  [`${SDK}contract/a.ts`, "import { x } from '../catalog/index.ts'", 'sdk/contract may not import sdk/catalog'],
  [`${SDK}catalog/a.ts`, "import { x } from '../emit/index.ts'", 'sdk/catalog may not import sdk/emit'],
  [`${SDK}emit/a.ts`, "import { x } from '../signing/index.ts'", 'sdk/emit may not import sdk/signing'],
  [`${SDK}signing/a.ts`, "import { x } from '../receive/index.ts'", 'sdk/signing may not import sdk/receive'],
  [`${SDK}receive/a.ts`, "import { x } from '../emit/index.ts'", 'sdk/receive may not import sdk/emit'],
  [`${SDK}signing/a.ts`, "import { x } from 'node:crypto'", 'sdk/signing may not import node:crypto'],
  [`${SDK}emit/a.ts`, "import type { x } from 'zod'", 'sdk/emit may not import zod'],
  [`${SDK}emit/a.ts`, "import { x } from '../../../server/src/core/clock.ts'", 'leaves packages/sdk/src'],
  [`${SERVER}core/a.ts`, "import { x } from 'node:fs'", 'core may not import node:fs'],
  [`${SERVER}core/a.ts`, "import { x } from '../store/store.ts'", 'core may not import store'],
  [`${SERVER}core/a.ts`, "import { x } from '@runbell/sdk/signing'", 'core may not import sdk/signing'],
  [`${SERVER}core/a.ts`, "import { x } from '../../../sdk/src/index.ts'", 'import the package by its name'],
  [`${SERVER}store/store.ts`, "import { x } from './sqlite/database.ts'", 'store may not import store/sqlite'],
  [`${SERVER}store/store.ts`, "import { x } from './memory/state.ts'", 'store may not import store/memory'],
  [`${SERVER}store/store.ts`, "import { x } from './conformance/index.ts'", 'imports test code'],
  [`${SERVER}store/sqlite/a.ts`, "import { x } from '../memory/copy.ts'", 'store/sqlite may not import store/memory'],
  [`${SERVER}store/sqlite/a.ts`, "import x from '../postgres/a.ts'", 'store/sqlite may not import store/postgres'],
  [`${SERVER}store/postgres/a.ts`, "import x from '../sqlite/a.ts'", 'store/postgres may not import store/sqlite'],
  [`${SERVER}store/memory/a.ts`, "import { x } from '../sqlite/codes.ts'", 'store/memory may not import store/sqlite'],
  [`${SERVER}store/memory/a.ts`, "import { x } from 'node:sqlite'", 'store/memory may not import node:sqlite'],
  [`${SERVER}accept/a.ts`, "import { x } from '../delivery/engine.ts'", 'accept may not import delivery'],
  [`${SERVER}accept/a.ts`, "import { x } from '../store/sqlite/codes.ts'", 'accept may not import store/sqlite'],
  [`${SERVER}delivery/a.ts`, "import type { X } from '../accept/acceptor.ts'", 'delivery may not import accept'],
  [`${SERVER}delivery/a.ts`, "import { x } from '../accept/slot-source.ts'", 'only types of accept/slot-source'],
  [`${SERVER}delivery/a.ts`, "import { x } from '@runbell/sdk/catalog'", 'delivery may not import sdk/catalog'],
  [`${SERVER}delivery/a.ts`, "import { x } from '../api/context.ts'", 'delivery may not import api'],
  [`${SERVER}delivery/a.ts`, "import { Agent } from 'undici'", 'undici may only be imported by'],
  [`${SERVER}delivery/transport.ts`, "import { x } from 'node:sqlite'", 'delivery may not import node:sqlite'],
  [`${SERVER}api/a.ts`, "import { x } from '../delivery/engine.ts'", 'api may not import delivery'],
  [`${SERVER}api/routes/a.ts`, "import type { X } from '../../delivery/a.ts'", 'api may not import delivery'],
  [`${SERVER}api/a.ts`, "import { x } from '../store/sqlite/codes.ts'", 'api may not import store/sqlite'],
  [`${SERVER}api/a.ts`, "import { x } from '@runbell/sdk/signing'", 'api may not import sdk/signing'],
  [`${SERVER}api/a.ts`, "import { pino } from 'pino'", 'api may import only types of pino'],
  [`${SERVER}api/a.ts`, "import { x } from '../runbell.ts'", 'imports the composition root'],
  [`${SERVER}api/a.ts`, "import { x } from './a.test.ts'", 'imports test code'],
  [`${SERVER}api/a.ts`, "import { x } from './testing/test-api.ts'", 'imports test code'],
  [`${SERVER}api/a.ts`, "import { x } from '../../test/json-corpus/reference.ts'", 'imports test code'],
  [`${SERVER}api/a.ts`, "import { x } from '../../../../tests/support/receiver.ts'", 'imports test code'],
  [`${SERVER}api/a.ts`, "const x = await import('undici')", 'undici may only be imported by'],
  [`${SERVER}api/a.ts`, 'const x = await import(name)', 'imports something that only shows when it runs'],
  [`${SERVER}api/a.ts`, "const x = require('undici')", 'imports something that only shows when it runs'],
  [`${SERVER}api/a.ts`, "export * from '../delivery/engine.ts'", 'api may not import delivery'],
  [`${SERVER}api/a.ts`, "new Worker(new URL('../delivery/a.ts', import.meta.url))", 'api may not import delivery'],
  [`${SERVER}maintenance/a.ts`, "import { x } from '../delivery/engine.ts'", 'maintenance may not import delivery'],
  [`${SERVER}config/a.ts`, "import { x } from '../api/context.ts'", 'config may not import api'],
  [`${SERVER}runbell.ts`, "import { x } from 'undici'", 'undici may only be imported by'],
  [`${SERVER}runbell.ts`, "import { x } from './api/testing/test-api.ts'", 'imports test code'],
  [`${SERVER}elsewhere/a.ts`, "import { x } from '../core/clock.ts'", 'belongs to no zone'],
]

const ALLOWED: [from: string, statement: string][] = [
  [`${SDK}adapters/a.ts`, "import { x } from '../emit/index.ts'"],
  [`${SERVER}core/a.ts`, "import { x } from '@runbell/sdk/catalog'"],
  [`${SERVER}store/sqlite/a.ts`, "import { x } from 'node:sqlite'"],
  [`${SERVER}delivery/a.ts`, "import type { X } from '../accept/slot-source.ts'"],
  [`${SERVER}delivery/transport-attempt.ts`, "import { x } from 'undici'"],
  [`${SERVER}api/a.ts`, "import { x } from 'hono/cors'"],
  [`${SERVER}runbell.ts`, "import { x } from './store/sqlite/sqlite-store.ts'"],
  [`${SERVER}cli/dev.ts`, "import { x } from '../runbell.ts'"],
  [`${SERVER}api/a.test.ts`, "import { x } from '../delivery/engine.ts'"],
]

describe('a planted import', () => {
  test.each(FORBIDDEN)('%s: %s', (path, text, said) => {
    expect(checkImports([{ path, text }])).toEqual([expect.stringContaining(said)])
  })

  test.each(ALLOWED)('%s may: %s', (path, text) => {
    expect(checkImports([{ path, text }])).toEqual([])
  })
})

describe('reading imports', () => {
  test('finds every form, over several lines too', () => {
    const text = [
      "import a from 'a'",
      "import type { B } from 'b'",
      "import c, {\n  d,\n  type E,\n} from 'c'",
      "import * as d from 'd'",
      "import 'e'",
      "export * from 'f'",
      "export { g } from 'g'",
      "type H = import('h').H",
    ].join('\n')
    expect(readImports(text)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((specifier) => ({ specifier, typeOnly: specifier === 'b' })),
    )
  })

  test('finds none in comments and in other code', () => {
    expect(readImports("/** import x from 'y' */\nexport const from = 'y'\nimport.meta.url")).toEqual([])
  })

  test('test code is known by its place', () => {
    expect(TEST_CODE.test(`${SDK}testing/index.ts`)).toBe(false)
    expect(TEST_CODE.test(`${SERVER}store/conformance/index.ts`)).toBe(true)
  })
})
