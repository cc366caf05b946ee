import { CliError, EXIT } from './cli-error.ts'

/** What the inbox does instead of taking an event as it should. */
export type Fault = { kind: 'status'; status: number } | { kind: 'timeout' | 'duplicate' | 'reorder' }

interface Share {
  fault: Fault
  /** From 0 to 1. */
  share: number
}

export interface Chaos {
  /** What happens to the next request; `null`: nothing. */
  next(): Fault | null
}

const KINDS = ['timeout', 'duplicate', 'reorder'] as const

/**
 * Reads `500:20%,timeout:5%,duplicate:10%,reorder:10%`.
 * @param random from 0 to below 1
 * @throws CliError where it is something else, or more than 100% together
 */
export function parseChaos(text: string, random: () => number = Math.random): Chaos {
  const shares = text.split(',').map((part) => parseShare(part.trim()))
  const total = shares.reduce((sum, { share }) => sum + share, 0)
  if (total > 1 + Number.EPSILON) throw wrong(`is ${Math.round(total * 100)}% together, and 100% is everything`)
  return {
    next() {
      let left = random()
      for (const { fault, share } of shares) {
        if (left < share) return fault
        left -= share
      }
      return null
    },
  }
}

function parseShare(part: string): Share {
  const match = /^([a-z]+|\d{3}):(\d{1,3}(?:\.\d+)?)%$/.exec(part)
  const [, what = '', percent = ''] = match ?? []
  const share = Number(percent) / 100
  const status = /^\d/.test(what) ? Number(what) : null
  const kind = KINDS.find((known) => known === what)
  if (match === null || share > 1) throw wrong(`has "${part}", which is not a fault and its share`)
  if (status !== null && status >= 200 && status <= 599) return { fault: { kind: 'status', status }, share }
  if (kind !== undefined) return { fault: { kind }, share }
  throw wrong(`has "${what}", which is neither a status from 200 to 599 nor one of ${KINDS.join(', ')}`)
}

function wrong(how: string): CliError {
  return new CliError(`--chaos ${how}: write it as 500:20%,timeout:5%,duplicate:10%,reorder:10%`, EXIT.usage)
}
