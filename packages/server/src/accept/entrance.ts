import type { CheckedEvent } from '../core/checked-event.ts'
import type { Match, Matcher } from './matcher.ts'
import type { Limited, TenantGate } from './tenant-gate.ts'

/** Limits that refuse somebody are read again when they are this old: a limit that was raised holds within a second. */
const FRESH_MS = 1000

/** Finds the endpoints of an event and asks whether its tenant may publish it. A promise only where the store is asked. */
export function createEntrance(matcher: Matcher, gate: TenantGate | null) {
  function admit(event: CheckedEvent, match: Match): Match | Limited {
    return gate?.admit(event, match.limits, match.endpoints.length) ?? match
  }

  async function again(event: CheckedEvent): Promise<Match | Limited> {
    return admit(event, await matcher.match(event))
  }

  return {
    /** @param isOwn what the service says of itself: never held back, for it is about what has been accepted */
    enter(event: CheckedEvent, isOwn: boolean): Match | Promise<Match | Limited> | Limited {
      const match = matcher.cached(event)
      if (isOwn) return match ?? matcher.match(event)
      if (match === null) return again(event)
      const entered = admit(event, match)
      return isLimited(entered) && matcher.ageOf(event) >= FRESH_MS ? again(event) : entered
    },
  }
}

export function isLimited(entered: Match | Limited): entered is Limited {
  return 'kind' in entered
}
