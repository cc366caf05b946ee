import { describe, expect, test } from 'vitest'
import { TEST_CODE } from './import-zones.ts'
import { readSources } from './repository.ts'

const SERVER = 'packages/server/src/'

const sources = readSources((path) => path.startsWith(SERVER) && path.endsWith('.ts') && !TEST_CODE.test(path))

/** The files of the server, tests left out, in which a pattern occurs. */
function filesWith(pattern: RegExp): string[] {
  const found = sources.filter(({ text }) => pattern.test(text))
  return found.map(({ path }) => path.slice(SERVER.length)).toSorted()
}

describe('secrets', () => {
  test('are revealed where something is signed, sent or read with them, and nowhere else', () => {
    expect(filesWith(/\.reveal\(/)).toEqual([
      ...['config/database-settings.ts', 'delivery/attempt.ts', 'delivery/signer.ts', 'wiring/master-keys.ts'],
      'wiring/open-store.ts',
    ])
  })

  test('are encrypted in one file alone', () => {
    expect(filesWith(/createCipheriv|createDecipheriv/)).toEqual(['secrets/seal.ts'])
  })
})
