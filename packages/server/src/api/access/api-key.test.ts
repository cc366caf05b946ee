import { createHash, randomBytes } from 'node:crypto'
import { DATA_CLASSES } from '@runbell/sdk/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiKeyRow, createApiKey, parseApiKey } from './api-key.ts'

/** From details 9. */
const VECTOR = 'rb_test_abcd0123efgh4567_Runbell0VectorRunbell0VectorRunbell0VectorR_39bf43ad'
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)), fraction: () => 0 }

describe('an API key', () => {
  it('is read as in the vector', () => {
    expect(parseApiKey(VECTOR)).toEqual({ mode: 'test', id: 'key_test_abcd0123efgh4567' })
  })

  it('with any one character changed is none', () => {
    fc.assert(
      fc.property(fc.nat(VECTOR.length - 1), fc.constantFrom('0', 'z', 'Q', '_', '-', ' '), (at, character) => {
        fc.pre(VECTOR[at] !== character)
        expect(parseApiKey(VECTOR.slice(0, at) + character + VECTOR.slice(at + 1))).toBeNull()
      }),
    )
  })

  it('with anything before or after it is none', () => {
    for (const text of [` ${VECTOR}`, `${VECTOR}\n`, `${VECTOR}0`, '', 'rb_test_']) expect(parseApiKey(text)).toBeNull()
  })

  it.each(['live', 'test'] as const)('made in %s mode is read back, and only its hash is kept', (mode) => {
    const { key, row } = createApiKey({ mode, scopes: ['read'], random, now: 5 })
    expect(key).toMatch(new RegExp(`^rb_${mode}_[a-z0-9]{16}_[A-Za-z0-9]{43}_[0-9a-f]{8}$`))
    expect(parseApiKey(key)).toEqual({ mode, id: row.id })
    expect(Buffer.from(row.hash)).toEqual(createHash('sha256').update(key).digest())
    expect(JSON.stringify(row)).not.toContain(key.slice(26, 60))
    expect(row).toMatchObject({
      mode,
      scopes: ['read'],
      dataClasses: ['public', 'summary'],
      tenantId: null,
      createdAt: 5,
    })
  })

  it('for admins holds all data classes', () => {
    expect(apiKeyRow(VECTOR, { scopes: ['admin'], now: 0 })?.dataClasses).toEqual(DATA_CLASSES)
    expect(apiKeyRow(VECTOR.replace('39', '38'), { scopes: ['admin'], now: 0 })).toBeNull()
  })

  it('uses every character of its alphabet', () => {
    const keys = Array.from({ length: 200 }, () => createApiKey({ mode: 'live', scopes: ['read'], random, now: 0 }).key)
    const secrets = keys.map((key) => key.split('_')[3] as string).join('')
    expect(new Set(secrets).size).toBe(62)
    expect(new Set(keys).size).toBe(200)
  })
})
