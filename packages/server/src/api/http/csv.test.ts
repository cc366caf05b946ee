import fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvRecord } from './csv.ts'

it.each([
  ['=1+1', `"'=1+1"`],
  ['+1', `"'+1"`],
  ['-1', `"'-1"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['\n=1', `"'\n=1"`],
  ['＝1', `"'＝1"`],
  ['a=1', '"a=1"'],
  ['dlv_01', 'dlv_01'],
  ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
  ['say "hi", then go', '"say ""hi"", then go"'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['a;b', '"a;b"'],
  ['', ''],
])('the cell %j is %j', (cell, text) => {
  expect(csvRecord([cell])).toBe(`${text}\r\n`)
})

it('numbers are numbers, and nothing is empty', () => {
  expect(csvRecord([1, null, -2])).toBe('1,,-2\r\n')
})

/** A reader of RFC 4180, written from its grammar. */
function read(record: string): string[] {
  const cells: string[] = []
  for (let at = 0; at < record.length;) {
    let cell = ''
    if (record[at] === '"') {
      for (at++; record[at] !== '"' || record[at + 1] === '"'; at++) {
        if (record[at] === '"') at++
        cell += record[at]
      }
      at++
    } else {
      while (record[at] !== ',' && record[at] !== '\r') cell += record[at++]
    }
    cells.push(cell)
    if (record[at] === '\r') expect(record.slice(at)).toBe('\r\n')
    at += record[at] === '\r' ? 2 : 1
  }
  return cells
}

it('any text comes back as it was, but for the apostrophe before a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (cells) => {
      const back = read(csvRecord(cells))
      expect(back.map((cell, index) => (cell === `'${cells[index]}` ? cells[index] : cell))).toEqual(cells)
      for (const cell of back) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
    }),
  )
})
