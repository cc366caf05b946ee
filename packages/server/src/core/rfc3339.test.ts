import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime } from './rfc3339.ts'

describe('parseTime', () => {
  it.each([
    // RFC 3339, section 5.8
    ['1985-04-12T23:20:50.52Z', Date.UTC(1985, 3, 12, 23, 20, 50, 520)],
    ['1996-12-19T16:39:57-08:00', Date.UTC(1996, 11, 20, 0, 39, 57)],
    ['1937-01-01T12:00:27.87+00:20', Date.UTC(1937, 0, 1, 11, 40, 27, 870)],
    // Section 5.6: lower case is allowed, any number of digits too
    ['1985-04-12t23:20:50z', Date.UTC(1985, 3, 12, 23, 20, 50)],
    ['2026-11-23T18:02:10.1Z', Date.UTC(2026, 10, 23, 18, 2, 10, 100)],
    ['2026-11-23T18:02:10.1239Z', Date.UTC(2026, 10, 23, 18, 2, 10, 123)],
    ['2026-11-23T18:02:10.123456789Z', Date.UTC(2026, 10, 23, 18, 2, 10, 123)],
    ['2026-11-23T18:02:10.123456789012Z', Date.UTC(2026, 10, 23, 18, 2, 10, 123)],
    ['2026-11-23T18:02:10-00:00', Date.UTC(2026, 10, 23, 18, 2, 10)],
    ['2026-11-23T18:02:10+23:59', Date.UTC(2026, 10, 22, 18, 3, 10)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['1969-12-31T23:59:59.999Z', -1],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000],
    ['0099-12-31T00:00:00Z', Date.parse('0099-12-31T00:00:00.000Z')],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('reads %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })

  it.each([
    '',
    '2026',
    '2026-11-23',
    '2026-11-23T18:02Z',
    '2026-11-23T18:02:10',
    '2026-11-23 18:02:10Z',
    '2026-11-23T18:02:10.Z',
    '2026-11-23T18:02:10,5Z',
    '2026-11-23T18:02:10+0100',
    '2026-11-23T18:02:10+01',
    '2026-11-23T18:02:10+24:00',
    '2026-11-23T18:02:10+01:60',
    '2026-11-23T24:00:00Z',
    '2026-11-23T18:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '26-11-23T18:02:10Z',
    '+002026-11-23T18:02:10Z',
    '2026-1-1T00:00:00Z',
    ' 2026-11-23T18:02:10Z',
    '2026-11-23T18:02:10Z\n',
    '2026-11-23T18:02:10ZZ',
    '２０２６-11-23T18:02:10Z',
    '1796061730',
    'Mon, 23 Nov 2026 18:02:10 GMT',
    // Outside the years that four digits can name, once the offset is applied
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeNull()
  })

  it('reads back every millisecond that four digits can name', () => {
    const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
    fc.assert(
      fc.property(time, (ms) => {
        expect(parseTime(new Date(ms).toISOString())).toBe(ms)
      }),
    )
  })

  it('takes an offset off the local time', () => {
    const offset = fc.record({ sign: fc.constantFrom(1, -1), hours: fc.nat(23), minutes: fc.nat(59) })
    fc.assert(
      fc.property(offset, fc.integer({ min: 0, max: 4e12 }), ({ sign, hours, minutes }, ms) => {
        const pad = (value: number) => String(value).padStart(2, '0')
        const local = new Date(ms + sign * (hours * 60 + minutes) * 60_000).toISOString().slice(0, -1)
        expect(parseTime(`${local}${sign === 1 ? '+' : '-'}${pad(hours)}:${pad(minutes)}`)).toBe(ms)
      }),
    )
  })
})
