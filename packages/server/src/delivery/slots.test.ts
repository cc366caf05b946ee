import { describe, expect, it } from 'vitest'
import { Lane } from './lane.ts'
import { Slots } from './slots.ts'

describe('a turn', () => {
  it.each([
    ['alone in line', 1, 0, 32],
    ['a few in line share what is free', 16, 0, 16],
    ['many in line start one each', 1000, 0, 1],
    ['nearly nothing free', 100, 250, 1],
    ['nobody in line', 0, 0, 32],
  ])('%s', (_what, lanes, taken, expected) => {
    const slots = new Slots(320)
    const lane = new Lane('ep_1')
    for (let count = 0; count < taken; count++) slots.take(lane)
    expect(slots.ofOneTurn(lanes)).toBe(expected)
  })
})
