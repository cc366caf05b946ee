import { describe, expect, test } from 'vitest'
import { checkLength, checkName, checkPlaces, checkReach } from './check-files.ts'
import { readSources } from './repository.ts'

/** Put together here, so that this file does not name them. */
const PLACES = [...['work', 'farm'].map((name) => `/${name}/`), ['', 'library'].join('.')]

const code = readSources((path) => /^(?:packages|bench|scripts|tests|examples)\/.*\.(?:ts|mjs)$/.test(path))
const texts = readSources((path) => !/\.(?:png|ico|woff2|gz)$/.test(path))

describe('every file', () => {
  test('of code has a plain name in kebab-case', () => {
    expect(code.flatMap(({ path }) => checkName(path))).toEqual([])
  })

  test('of code has 400 lines at most', () => {
    expect(code.flatMap(checkLength)).toEqual([])
  })

  test('of code stays inside the repository', () => {
    expect(code.flatMap(checkReach)).toEqual([])
  })

  test('names no place on somebody’s machine', () => {
    expect(texts.flatMap((file) => checkPlaces(file, PLACES))).toEqual([])
  })
})

describe('a planted file', () => {
  const path = 'packages/server/src/api/a.ts'

  test.each([
    ['packages/server/src/api/utils.ts', '"utils"'],
    ['packages/server/src/api/http-helpers.ts', '"helpers"'],
    ['packages/server/src/common/clock.ts', '"common"'],
    ['packages/server/src/connection-manager.test.ts', '"manager"'],
    ['packages/server/src/misc.mjs', '"misc"'],
    ['packages/server/src/readBody.ts', 'kebab-case'],
    ['packages/server/src/read_body.ts', 'kebab-case'],
    ['packages/server/src/Api/body.ts', 'kebab-case'],
  ])('%s is refused by its name', (name, said) => {
    expect(checkName(name)).toEqual([expect.stringContaining(said)])
  })

  test('with a plain name is fine', () => {
    expect(checkName('packages/server/src/core/json-scan.corpus.test.ts')).toEqual([])
  })

  test('with 401 lines is too long, with 400 it is not', () => {
    expect(checkLength({ path, text: 'x\n'.repeat(401) })).toEqual([`${path}: 401 lines, 400 at most`])
    expect(checkLength({ path, text: 'x\n'.repeat(400) })).toEqual([])
  })

  test('that reads beside the repository is found', () => {
    const upwards = (steps: number) => ['new', ` URL('${'../'.repeat(steps)}data/', import.meta.url)`].join('')
    expect(checkReach({ path, text: upwards(5) })).toEqual([expect.stringContaining('outside the repository')])
    expect(checkReach({ path, text: upwards(4) })).toEqual([])
  })

  test('of tests may read the test data that lies beside the repository, no other file may', () => {
    const text = ['new', ` URL('${'../'.repeat(5)}shared/data/', import.meta.url)`].join('')
    expect(checkReach({ path: 'packages/server/src/api/a.test.ts', text })).toEqual([])
    expect(checkReach({ path, text })).toHaveLength(1)
  })

  test.each(PLACES)('that names %s is found', (place) => {
    expect(checkPlaces({ path, text: `open('${place}data')` }, PLACES)).toHaveLength(1)
    expect(checkPlaces({ path, text: `see docs${place}data` }, PLACES)).toEqual([])
  })
})
