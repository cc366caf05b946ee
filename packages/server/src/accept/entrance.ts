import type { CheckedEvent } from '../core/checked-event.ts'
import type { BodySource } from '../core/event-bodies.ts'
import { passing, type Match, type Matcher } from './matcher.ts'
import type { Limited, TenantGate } from './tenant-gate.ts'

/** Limits that refuse somebody are read again when they are this old: a limit that was raised holds within a second. */
const FRESH_MS = 1000

/** Finds the endpoints of an event and asks whether its tenant may publish it. A promise only where the store is asked. */
export function createEntrance(matcher: Matcher, gate: TenantGate | null) {
  function admit(event: CheckedEvent, bodies: BodySource, byType: Match): Match | Limited {
    const match = passing(byType, bodies)
    return gate?.admit(event, match.limits, match.endpoints.length) ?? match
  }

  async function again(event: CheckedEvent, bodies: BodySource): Promise<Match | Limited> {
    return admit(event, bodies, await matcher.match(event))
  }

  return {
    /** @param isOwn what the service says of itself: never held back, for it is about what has been accepted */
    enter(event: CheckedEvent, bodies: BodySource, isOwn: boolean): Match | Promise<Match | Limited> | Limited {
      const match = matcher.cached(event)
      if (isOwn) {
        return match === null ? matcher.match(event).then((found) => passing(found, bodies)) : passing(match, bodies)
      }
      if (match === null) return again(event, bodies)
      const entered = admit(event, bodies, match)
      return isLimited(entered) && matcher.ageOf(event) >= FRESH_MS ? again(event, bodies) : entered
    },
  }
}

export function isLimited(entered: Match | Limited): entered is Limited {
  return 'kind' in entered
}
