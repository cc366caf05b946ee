/** One setting: where it can be given, what it means, and how its text is read. */
export interface SettingSpec<Value> {
  env: string
  flag: string | null
  /** What `--help` and the docs say. */
  meaning: string
  /** Shown as `•••` wherever settings are printed. */
  secret?: boolean
  /** The value if nobody gave one; it may differ between `runbell dev` and `runbell start`. */
  default(command: 'dev' | 'start'): Value
  /** @throws SettingError that says what would be right */
  parse(text: string): Value
  format(value: Value): string
}

/** A setting cannot be read; the message is one plain sentence. */
export class SettingError extends Error {
  override name = 'SettingError'
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** As it would be written: in the largest unit that leaves nothing over. */
export function formatDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
