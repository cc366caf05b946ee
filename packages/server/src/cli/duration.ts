import { CliError, EXIT } from './cli-error.ts'

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A hundred years: longer than anything meant. */
const MOST_MS = 36_525 * 86_400_000

/**
 * Milliseconds of a time span such as `12h` or `30d`.
 * @throws CliError that names the flag
 */
export function parseDuration(flag: string, text: string): number {
  const match = /^([1-9]\d{0,6})([mhd])$/.exec(text)
  const ms = match === null ? Number.NaN : Number(match[1]) * (UNIT_MS[match[2] as string] as number)
  if (ms <= MOST_MS) return ms
  throw new CliError(`${flag} "${text}" is not a time span: write one such as 90m, 12h or 30d`, EXIT.usage)
}
