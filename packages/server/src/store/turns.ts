import type { EndpointRow } from './rows.ts'

/*
 * Turns of ordered endpoints (details 17). Deliveries of one run to one endpoint form a lane. One of them at a time is its head: it waits,
 * is in flight, or is a dead letter that holds the lane. The others wait for their turn, and the end of the head gives it to the lowest.
 */

/** `due_at` of what waits for its turn: later than any time (the largest a date can be). */
export const NO_TURN = 8_640_000_000_000_000

/** What stands in `endpoints.ordering`. Who once was ordered may still have lanes. */
export const ORDERINGS = { never: 0, skip: 1, hold: 2, formerly: 3 } as const

export type Ordering = (typeof ORDERINGS)[keyof typeof ORDERINGS]

/** @param before what stood there */
export function orderingOf(
  { kind, ordering, orderingOnDeadLetter }: Pick<EndpointRow, 'kind' | 'ordering' | 'orderingOnDeadLetter'>,
  before: Ordering = ORDERINGS.never,
): Ordering {
  // What is fetched is in the order of commits anyway.
  if (kind !== 'pull' && ordering === 'run') return ORDERINGS[orderingOnDeadLetter]
  return before === ORDERINGS.never ? ORDERINGS.never : ORDERINGS.formerly
}

/** Whether what is delivered to it from now on takes its turn. */
export function isOrdered(ordering: Ordering): boolean {
  return ordering === ORDERINGS.skip || ordering === ORDERINGS.hold
}

/** When a delivery is due, as whoever reads it is told. */
export function dueForReader(dueAt: number | null): number | null {
  return dueAt === NO_TURN ? null : dueAt
}
