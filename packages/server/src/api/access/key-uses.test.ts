import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from '../testing/test-api.ts'
import { createKeyUses, USE_PRECISION_MS } from './key-uses.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

async function lastUsed(key: string): Promise<string | null> {
  await test.api.noteKeyUses()
  const { json } = await test.get('/v1/api-keys')
  return json.data.find(({ id }: { id: string }) => id === `key_test_${key.split('_')[2]}`).last_used_at
}

const now = () => new Date(test.clock.now()).toISOString()

describe('when a key was last used', () => {
  it('is noted for publishing and for everything else, to the minute', async () => {
    const key = await test.addKey({ scopes: ['publish', 'read'] })
    expect(await lastUsed(key)).toBeNull()
    const first = now()
    await test.post('/v1/events', { key, body: sampleEvent() })
    expect(await lastUsed(key)).toBe(first)
    test.clock.advance(USE_PRECISION_MS - 1)
    await test.get('/v1/events', { key })
    expect(await lastUsed(key)).toBe(first)
    test.clock.advance(1)
    await test.get('/v1/events', { key })
    expect(await lastUsed(key)).toBe(now())
  })

  it('is not noted where the key was refused', async () => {
    const key = await test.addKey({ expiresAt: test.clock.now() })
    expect((await test.get('/v1/events', { key })).status).toBe(401)
    expect(await lastUsed(key)).toBeNull()
  })

  it('is written again when it could not be', async () => {
    const written: { keyId: string; at: number }[][] = []
    let fails = true
    const uses = createKeyUses({
      touchApiKeys(input) {
        if (fails) return Promise.reject(new Error('disk'))
        written.push(input.uses)
        return Promise.resolve()
      },
    })
    uses.note('a', 1)
    await expect(uses.flush()).rejects.toThrow('disk')
    uses.note('b', 2)
    uses.note('a', 1 + USE_PRECISION_MS)
    fails = false
    await uses.flush()
    await uses.flush()
    expect(written).toEqual([
      [
        { keyId: 'a', at: 1 + USE_PRECISION_MS },
        { keyId: 'b', at: 2 },
      ],
    ])
  })
})
