import type { BodySource } from '../src/core/event-bodies.ts'

/** For tests that are not about data classes: everybody gets the uncut body. */
export const UNCUT: BodySource = {
  bodyFor: () => null,
  view: () => {
    throw new Error('no endpoint has a filter here')
  },
  release: () => {},
}
