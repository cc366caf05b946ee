import { expect, test } from 'vitest'
import type { Screen } from '../screen.ts'
import { createMoveProgress } from './move-progress.ts'

function fakeScreen(live: boolean) {
  const [lines, statuses] = [[] as string[], [] as (string | null)[]]
  const screen: Screen = {
    live,
    line: (text = '') => void lines.push(text),
    status: (text) => void statuses.push(text),
    paint: (_style, text) => text,
  }
  return { screen, lines, statuses }
}

const report = (rows: number, step: 'copying' | 'checking' = 'copying') =>
  ({ step, table: 'events', rows, ofRows: 1_000_000 }) as const

test('tells rows, rate and what is left, each step for itself', () => {
  let now = 0
  const { screen, statuses } = fakeScreen(true)
  const progress = createMoveProgress(screen, () => now)
  // What an earlier run has copied says nothing about the rate of this one.
  progress.report(report(400_000))
  now = 10_000
  progress.report(report(600_000))
  progress.report(report(10_000, 'checking'))
  now = 20_000
  progress.report(report(110_000, 'checking'))
  progress.close()
  expect(statuses).toEqual([
    'copying events: 400,000 of 1,000,000 rows',
    'copying events: 600,000 of 1,000,000 rows, 20,000 rows/s, about 20 s left',
    'checking events: 10,000 of 1,000,000 rows',
    'checking events: 110,000 of 1,000,000 rows, 11,000 rows/s, about 81 s left',
    null,
  ])
})

test('without a terminal tells it now and then', () => {
  let now = 0
  const { screen, lines } = fakeScreen(false)
  const progress = createMoveProgress(screen, () => now)
  for (; now <= 10_000; now += 500) progress.report(report(now))
  expect(lines).toHaveLength(3)
})
