import { expect, test } from 'vitest'
import { fillPage } from './page.ts'

/** A list of a thousand positions, of which only every hundredth has a row, and each call looks at fifty. */
function sparse(msForACall: number) {
  let time = 0
  const asked: (number | null)[] = []
  const clock = { monotonic: () => time }
  const read = async ({ limit, after }: { limit: number; after: number | null }) => {
    asked.push(after)
    time += msForACall
    const top = after ?? 1001
    const rows: number[] = []
    for (let position = top - 1; position >= Math.max(1, top - 50); position--) {
      if (position % 100 === 0) rows.push(position)
      if (rows.length === limit) return { rows, next: position > 1 ? position : null }
    }
    return { rows, next: top - 50 > 1 ? top - 50 : null }
  }
  return { asked, read: (limit: number, after: number | null = null) => fillPage(clock, { limit, after }, read) }
}

test('a page is filled from several calls, and goes on after its last row', async () => {
  const list = sparse(1)
  expect(await list.read(3)).toEqual({ rows: [1000, 900, 800], next: 800 })
  expect(await list.read(3, 800)).toEqual({ rows: [700, 600, 500], next: 500 })
})

test('the last page ends without a cursor', async () => {
  expect(await sparse(1).read(100, 250)).toEqual({ rows: [200, 100], next: null })
})

test('after a second it is given as it is, with where to go on', async () => {
  const list = sparse(600)
  expect(await list.read(5)).toEqual({ rows: [1000], next: 901 })
  expect(list.asked).toEqual([null, 951])
})
