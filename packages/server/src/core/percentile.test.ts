import { expect, test } from 'vitest'
import { percentile } from './percentile.ts'

test('the nearest rank, and nothing of nothing', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0, 0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 95, 99, 100])
  expect([0.5, 0.95].map((share) => percentile([7, 8], share))).toEqual([7, 8])
  expect(percentile([], 0.5)).toBeNull()
})
