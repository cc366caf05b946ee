export const CHECK_STATUSES = ['ok', 'warn', 'fail'] as const
export type CheckStatus = (typeof CHECK_STATUSES)[number]

/** What came of looking at one thing. */
export interface Check {
  name: 'version' | 'database' | 'clock' | 'keys' | 'egress' | 'disk'
  status: CheckStatus
  /** One sentence without a full stop, of what was found; never a password or a key. */
  message: string
  /** What to do; `null` where nothing has to be done. */
  fix: string | null
}

type Name = Check['name']

export const ok = (name: Name, message: string): Check => ({ name, status: 'ok', message, fix: null })
export const warn = (name: Name, message: string, fix: string): Check => ({ name, status: 'warn', message, fix })
export const fail = (name: Name, message: string, fix: string): Check => ({ name, status: 'fail', message, fix })

/** The second half of an error that says what to do, as a sentence of its own. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
