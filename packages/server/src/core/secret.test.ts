import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.ts'

test('a secret is seen nowhere but where it is revealed', () => {
  const secret = new Secret('hunter2-canary')
  const error = new Error('it failed', { cause: { secret } })
  const seen = [
    String(secret),
    JSON.stringify({ secret, list: [secret] }),
    inspect({ secret }, { depth: 9, showHidden: true }),
    inspect(error),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(Object.getOwnPropertyNames(secret)),
    JSON.stringify(structuredClone({ ...secret })),
  ]
  expect(seen.filter((text) => text.includes('canary'))).toEqual([])
  expect(secret.reveal()).toBe('hunter2-canary')
})
