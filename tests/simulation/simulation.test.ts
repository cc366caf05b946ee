import { describe, expect, test } from 'vitest'
import { simulate } from './simulate.ts'

/** 300 in `npm test`; `npm run simulate` runs thousands. */
const SEEDS = Number(process.env['RUNBELL_SIMULATION_SEEDS'] ?? 300)
const FIRST = Number(process.env['RUNBELL_SIMULATION_FIRST'] ?? 1)
const BLOCK = 50

describe('G1, G3, G5, G6, G8–G11, G13, G17, G19: under crashes, freezes, lost answers and hostile receivers', () => {
  for (let first = FIRST; first < FIRST + SEEDS; first += BLOCK) {
    const last = Math.min(first + BLOCK, FIRST + SEEDS) - 1
    test(`hold for seeds ${first} to ${last}`, { timeout: 120_000 }, async () => {
      for (let seed = first; seed <= last; seed++) {
        const { violations } = await simulate({ seed })
        expect({ seed, violations: violations.slice(0, 5) }).toEqual({ seed, violations: [] })
      }
    })
  }

  test('the same seed gives the same run', async () => {
    expect(await simulate({ seed: 7 })).toEqual(await simulate({ seed: 7 }))
  })
})
