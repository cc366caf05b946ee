import { expect, it } from 'vitest'
import { readCommandLine } from '../../bench/command-line.ts'
import { percentile } from '../../bench/distribution.ts'
import { SCENARIOS } from '../../bench/scenarios/index.ts'

it('without names it runs what is not long', () => {
  const chosen = readCommandLine([], SCENARIOS)?.scenarios ?? []
  expect(chosen.length).toBeGreaterThan(0)
  expect(chosen.filter(({ long }) => long === true)).toEqual([])
})

it('what is named runs in that order, long or not', () => {
  const chosen = readCommandLine(['history', 'one-endpoint'], SCENARIOS)
  expect(chosen?.scenarios.map(({ name }) => name)).toEqual(['history', 'one-endpoint'])
})

it.each([
  [['nowhere'], 'there is no scenario nowhere'],
  [['--rounds', '0'], '--rounds'],
  [['--seconds', 'soon'], '--seconds'],
  [['--backlog', '1.5'], '--backlog'],
])('%j is refused in a sentence', (args, sentence) => {
  expect(() => readCommandLine(args, SCENARIOS)).toThrow(sentence)
})

it('a percentile is a value that there was, whatever the order', () => {
  expect(percentile([5, 1, 3], 0.5)).toBe(3)
  expect(percentile([5, 1, 3], 0.99)).toBe(5)
  expect(percentile([], 0.5)).toBeNaN()
})
