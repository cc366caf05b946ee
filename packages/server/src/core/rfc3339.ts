const PATTERN = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * Milliseconds since the epoch of an RFC 3339 time (section 5.6); `null` where it is none. Digits after the millisecond
 * are cut off; leap seconds (`:60`) are refused, since a millisecond clock cannot name them.
 */
export function parseTime(text: string): number | null {
  const match = PATTERN.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offset = offsetMinutes(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0))
  if (offset === null || hour > 23 || minute > 59 || second > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have would roll over into the next one.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const time = date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds
  // Years 0000 and 9999 with an offset can leave the range that four digits can name.
  return time >= EARLIEST && time <= LATEST ? time : null
}

const EARLIEST = -62_167_219_200_000
const LATEST = 253_402_300_799_999

function offsetMinutes(sign: string | undefined, hours: number, minutes: number): number | null {
  if (sign === undefined) return 0
  if (hours > 23 || minutes > 59) return null
  return (hours * 60 + minutes) * (sign === '-' ? -1 : 1)
}
