import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ORDINARY_TEXT } from '../../../test/credentials/ordinary-text.ts'
import { PLANTED_CREDENTIALS, SENTENCES } from '../../../test/credentials/planted.ts'
import { findCredentials } from './find-credentials.ts'
import { maskCredentials } from './mask-credentials.ts'

describe('a planted credential', () => {
  it.each(PLANTED_CREDENTIALS.map(({ name, ...rest }) => [name, rest] as const))(
    '%s is found wherever it stands',
    (_name, { text, secret, kind }) => {
      for (const sentence of SENTENCES) {
        const whole = sentence.replace('{}', () => text)
        const masked = maskCredentials(whole)
        expect(masked, whole.slice(0, 30)).not.toBeNull()
        expect(masked?.text.includes(secret), sentence).toBe(false)
        expect(masked?.kinds, sentence).toContain(kind)
      }
    },
  )
})

describe('ordinary text', () => {
  it('is left alone: none of these is masked', () => {
    expect(ORDINARY_TEXT.length).toBeGreaterThan(400)
    const wrong = ORDINARY_TEXT.filter((text) => maskCredentials(text) !== null)
    expect(wrong).toEqual([])
  })
})

describe('masking', () => {
  it('keeps the text around it readable, and hides only the password of an address', () => {
    const long = ['Tr0ub4dor', 'and', 'three', 'more', 'words'].join('-')
    expect(maskCredentials(`use postgres://app:${long}@db/orders now`)?.text).toBe(
      'use postgres://app:***masked_connection_string***@db/orders now',
    )
    expect(maskCredentials(`password=${long}; host=db`)?.text).toBe('password=***masked_password***; host=db')
  })

  it('never makes a text longer, so that what was within a limit stays within it', () => {
    const password = ['Tr0ub4dor', '3'].join('-')
    expect(maskCredentials(`use postgres://app:${password}@db/orders now`)?.text).toBe(
      'use postgres://app:***@db/orders now',
    )
    expect(maskCredentials(`password=${password}; host=db`)?.text).toBe('password=***; host=db')
    for (const { text } of PLANTED_CREDENTIALS) {
      expect(maskCredentials(text)?.text.length).toBeLessThanOrEqual(text.length)
    }
  })

  it('changes nothing the second time', () => {
    const any = fc
      .array(fc.oneof(fc.string(), fc.constantFrom(...PLANTED_CREDENTIALS.map(({ text }) => text))))
      .map((parts) => parts.join(' '))
    fc.assert(
      fc.property(any, (text) => {
        const once = maskCredentials(text)?.text ?? text
        expect(maskCredentials(once)?.text ?? once).toBe(once)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    'Bearer ',
    'sk-',
    '4',
    '-----BEGIN PRIVATE KEY-----',
    'eyJ',
    'eyJaaaaaaaaaaaa.',
    'a://b:',
    'password=',
    'token: ',
    'SG.',
    '1 2',
    'xox',
    'a:',
    '-',
    '"',
  ])('takes time in proportion to the text for %j over and over', (part) => {
    const timed = (length: number) => {
      const text = part.repeat(Math.ceil(length / part.length))
      const startedAt = performance.now()
      findCredentials(text)
      return performance.now() - startedAt
    }
    timed(16 * 1024)
    expect(Math.min(timed(128 * 1024), timed(128 * 1024))).toBeLessThan(1000)
  })
})
