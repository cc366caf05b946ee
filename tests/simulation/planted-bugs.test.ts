import { describe, expect, test } from 'vitest'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { simulate } from './simulate.ts'

const MOST_SEEDS = 1000

describe('a simulation that finds nothing would prove nothing: each planted bug is caught within 1,000 seeds', () => {
  for (const [name, bug] of Object.entries(PLANTED_BUGS)) {
    test(name, { timeout: 180_000 }, async () => {
      let caught: number | null = null
      for (let seed = 1; seed <= MOST_SEEDS && caught === null; seed++) {
        const { violations } = await simulate({ ...bug, seed })
        if (violations.length > 0) caught = seed
      }
      expect(caught).not.toBeNull()
    })
  }
})
