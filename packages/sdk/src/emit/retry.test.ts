import { describe, expect, it } from 'vitest'
import { MAX_DELAY_MS, retryDelay } from './retry.ts'

const NOW = Date.parse('2026-11-23T18:02:15Z')

describe('the wait before a retry', () => {
  it('doubles from a quarter of a second, half of it by chance, up to the limit', () => {
    expect([0, 1, 2, 3].map((retry) => retryDelay(retry, null, 0, NOW))).toEqual([125, 250, 500, 1000])
    expect([0, 1, 2, 3].map((retry) => retryDelay(retry, null, 1, NOW))).toEqual([250, 500, 1000, 2000])
    expect(retryDelay(1000, null, 1, NOW)).toBe(MAX_DELAY_MS)
  })

  it.each([
    ['7', 7000],
    ['0', 125],
    ['Mon, 23 Nov 2026 18:02:25 GMT', 10_000],
    ['Mon, 23 Nov 2026 18:02:05 GMT', 125],
    ['soon', 125],
    ['', 125],
    ['30', 30_000],
  ])('is never shorter than Retry-After: %s', (header, delay) => {
    expect(retryDelay(0, header, 0, NOW)).toBe(delay)
    expect(retryDelay(0, header, 0.5, NOW)).toBeGreaterThan(delay)
  })

  it('is none where the server wants more than the limit', () => {
    expect(retryDelay(0, '31', 0, NOW)).toBeNull()
    expect(retryDelay(0, 'Mon, 23 Nov 2026 19:02:25 GMT', 0, NOW)).toBeNull()
  })
})
